"""Turns a Detoxify checkpoint into int8 ONNX, once, and says what that cost and gained.

Needs torch and the library; what it writes needs neither. Nothing is written where the scores moved too far.
"""

import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moderation.engines import EngineUnavailable
from moderation.engines.detoxify.converted import FILES, Converted
from moderation.engines.detoxify.library import LibraryDetoxify

TOLERANCE = 0.05
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


@dataclass(frozen=True)
class Conversion:
    """What a conversion did: the largest difference of a score, and how many times faster it is now."""

    folder: Path
    difference: float
    speedup: float
    megabytes: float


def convert(engine: LibraryDetoxify, folder: Path, tolerance: float = TOLERANCE) -> Conversion:
    """Write the engine's model to a folder as int8 ONNX; raises EngineUnavailable where a score moves too far."""
    folder.mkdir(parents=True, exist_ok=True)
    engine.model.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    write_graph(engine.model, folder / "model.onnx")
    write_manifest(engine, folder)
    small = Converted(folder)
    difference = largest_difference(engine, small)
    if difference > tolerance:
        (folder / "manifest.json").unlink()
        raise EngineUnavailable(f"In int8 a score moves by {difference:.3f}, more than {tolerance}. Not converted.")
    speedup = seconds(engine.score) / seconds(small.score)
    return Conversion(folder, difference, speedup, sum((folder / name).stat().st_size for name in FILES) / 1e6)


def write_graph(model: Any, path: Path) -> None:
    """Trace the network on one text and quantise its weights to int8, per channel, with seven bits."""
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
    pairs = zip(engine.score(SAMPLES), small.score(SAMPLES), strict=True)
    return max(abs(one[name] - other[name]) for one, other in pairs for name in one)


def seconds(score: Callable[[Sequence[str]], object]) -> float:
    """How long the sample texts take, one by one: the median of five rounds."""
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        for text in SAMPLES:
            score([text])
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
