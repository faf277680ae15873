"""From a trained encoder to the folder that the engine reads: graph, tokenizer, curves, digests."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from moderation.engines.bundled import weights
from moderation.engines.bundled.engine import Bundled
from moderation.engines.bundled.linear import Linear
from moderation.engines.bundled.spellings import Spellings
from moderation.engines.bundled.windows import windows
from moderation.evaluate import Numbers
from moderation.training import calibrate
from moderation.training.encoder import base_folder
from moderation.training.export import write_onnx
from moderation.training.rows import Row
from moderation.training.split import for_curves

VERSION = "1"
CHUNK = 256


def package(
    state: Mapping[str, torch.Tensor], linear: Linear, spellings: Spellings, held: Sequence[Row], folder: Path
) -> None:
    """Write everything the engine needs; curves are fitted on the half of the held-out rows that is for them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_onnx({name: value.float().cpu().numpy() for name, value in state.items()}, folder / "model.onnx")
    shutil.copyfile(base_folder() / "tokenizer.json", folder / "tokenizer.json")
    (folder / "linear.npz").write_bytes(linear.written())
    (folder / "spellings.json").write_text(spellings.written(), encoding="utf-8")
    (folder / "calibration.json").write_text(json.dumps({"mark": 0.0, "attributes": {}}), encoding="utf-8")
    write_manifest(folder)
    engine = Bundled(folder, threads=2)
    fitting = [row for row in held if for_curves(row.text)]
    mark = fitted_mark(engine, [row for row in fitting if row.marked is not None])
    calibrate.write(fitting, *all_logits(engine, fitting), mark, folder / "calibration.json")
    write_manifest(folder)
    weights.load.cache_clear()


def all_logits(engine: Bundled, rows: Sequence[Row]) -> tuple[Numbers, Numbers]:
    """Every row's logits by the encoder, (rows, heads), and by the linear model, (rows, labels)."""
    encoder: list[Numbers] = []
    linear: list[Numbers] = []
    for start in tqdm(range(0, len(rows), CHUNK), desc="held-out rows", mininterval=10):
        folded = [engine.read(row.text).text for row in rows[start : start + CHUNK]]
        parts = [windows(engine.weights.tokenizer, text) for text in folded]
        logits, _ = engine.run([window for part in parts for window in part])
        ends = np.cumsum([len(part) for part in parts])
        encoder += [logits[end - len(part) : end].max(axis=0) for part, end in zip(parts, ends, strict=True)]
        linear += [engine.beside(text, part).max(axis=0) for text, part in zip(folded, parts, strict=True)]
    return np.array(encoder, np.float64), np.array(linear, np.float64)


def fitted_mark(engine: Bundled, rows: Sequence[Row]) -> float:
    """The token logit from which a word counts as marked."""
    marks, places = [], []
    for row in rows:
        folded = engine.read(row.text)
        parts = windows(engine.weights.tokenizer, folded.text)
        marks.append(np.concatenate(engine.run(parts)[1]).astype(np.float64))
        spans = [folded.span(start, end) for part in parts for start, end in part.offsets]
        places.append([(span.start, span.end) for span in spans])
    return calibrate.best_mark(rows, marks, places)


def write_manifest(folder: Path) -> None:
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in weights.FILES}
    told = json.dumps({"version": VERSION, "sha256": digests}, indent=1) + "\n"
    (folder / "manifest.json").write_text(told, encoding="utf-8")
