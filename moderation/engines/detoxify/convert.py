"""Turns a Detoxify checkpoint into int8 ONNX, once, and says what that cost and gained.

Needs torch and the library; what it writes needs neither. Nothing is left behind where the scores moved too far.
"""

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from moderation.engines import Conversion, EngineUnavailable
from moderation.engines.detoxify.converted import FILES, Converted
from moderation.engines.detoxify.library import LibraryDetoxify

TOLERANCE = 0.05
ROUNDS = 5
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
SAMPLES = (
    "Thank you for this report, I learned a lot.",
    "What a disgrace. The minister should resign today.",
    "You are a pathetic little idiot and everybody knows it.",
    "I will find you and break your legs.",
    "My neighbour is a Muslim woman who runs the bakery.",
    "Those people are vermin, throw them out of our country.",
    "This fucking weather, my train is late again.",
    "Nobody reads the second page anyway. " * 12,
)


def convert(engine: LibraryDetoxify, folder: Path, tolerance: float, step: Callable[[str], object]) -> Conversion:
    """Write the engine's model to a new folder as int8 ONNX; raises EngineUnavailable where a score moves too far."""
    refuse_taken(folder)
    with tempfile.TemporaryDirectory(dir=made(folder.parent), prefix=f".{folder.name}-") as draft:
        unfinished = Path(draft) / folder.name
        unfinished.mkdir()
        written(engine, unfinished, step)
        small = Converted(unfinished)
        step("Comparing scores")
        difference = largest_difference(engine, small)
        if not difference <= tolerance:  # NaN is no small difference
            raise EngineUnavailable(f"In int8 a score moves by {difference:.3f}, more than {tolerance}. Not converted.")
        step("Timing both")
        before, after = milliseconds(engine.score), milliseconds(small.score)
        unfinished.replace(folder)
    size = sum((folder / name).stat().st_size for name in FILES) / 1e6
    return Conversion(f"detoxify:{folder.absolute()}", size, len(SAMPLES), difference, tolerance, before, after)


def refuse_taken(folder: Path) -> None:
    """A folder that holds something stays as it is."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise EngineUnavailable(f"{folder} is there already and is not empty: name a new folder.")


def made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EngineUnavailable(f"{folder} cannot be made: {problem.strerror}.") from problem
    return folder


def written(engine: LibraryDetoxify, folder: Path, step: Callable[[str], object]) -> None:
    """Write tokenizer, graph and manifest."""
    step("Writing the network down as ONNX, in int8")
    try:
        write_graph(engine.model, folder / "model.onnx")
    except ImportError as problem:
        raise EngineUnavailable(
            f"To convert, onnx is needed too: pip install 'firstword[detoxify]' ({problem})."
        ) from None
    engine.model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    write_manifest(engine, folder)


def write_graph(model: Any, path: Path) -> None:
    """Trace the network on two texts and quantise its weights to int8, per channel, with seven bits."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    network = model.model.eval()
    network.config.return_dict = False
    read = model.tokenizer(["one text", "and another, longer one"], return_tensors="pt", padding=True)
    fed = {name: read[name] for name in INPUTS if name in read}  # in the order of the network's own parameters
    axes = {name: {0: "batch", 1: "length"} for name in fed} | {"logits": {0: "batch"}}
    with tempfile.TemporaryDirectory() as aside:
        whole = str(Path(aside) / "whole.onnx")
        torch.onnx.export(
            network, (fed,), whole, input_names=list(fed), output_names=["logits"], dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)


def write_manifest(engine: LibraryDetoxify, folder: Path) -> None:
    told = {
        "name": engine.name.partition(":")[2],
        "attributes": list(engine.attributes),
        "languages": sorted(engine.languages or ()),
        "length": int(engine.model.tokenizer.model_max_length),
        "checkpoint": engine.version,
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
    }
    (folder / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def largest_difference(engine: LibraryDetoxify, small: Converted) -> float:
    """By how much a score of the sample texts moves at most; NaN where one is none."""
    pairs = zip(engine.score(SAMPLES), small.score(SAMPLES), strict=True)
    return float(np.max([abs(one[name] - other[name]) for one, other in pairs for name in one]))


def milliseconds(score: Callable[[Sequence[str]], object]) -> float:
    """How long a sample text takes, scored by itself: the median of some rounds through all of them."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for text in SAMPLES:
            score([text])
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000 / len(SAMPLES)
