"""Reads the engine's files and refuses any whose SHA-256 is not the one that was shipped."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers

from moderation.engines.bundled import linear, spellings
from moderation.engines.bundled.linear import Linear
from moderation.engines.bundled.spellings import Spellings

SHIPPED = Path(__file__).with_name("weights")
FILES = ("model.onnx", "linear.npz", "tokenizer.json", "calibration.json", "spellings.json")

Logits = npt.NDArray[np.float32]


class WeightsError(RuntimeError):
    """The engine's files are missing or are not the ones that were shipped."""


@dataclass(frozen=True, slots=True)
class Curve:
    """From one head's logit to a probability: straight lines between knots that never fall.

    Where the linear model knows the attribute, under `label`, its logit is added first, each with its share.
    """

    head: int
    label: int
    shares: tuple[float, float]
    logits: npt.NDArray[np.float64]
    chances: npt.NDArray[np.float64]

    def chance(self, logit: float) -> float:
        """The probability, 0..1, that a mixed logit means."""
        return float(np.interp(logit, self.logits, self.chances))


class Mixture:
    """How the logits of both models make one for each attribute: for all of them in one go, as a text has many."""

    def __init__(self, curves: Iterable[Curve]) -> None:
        known = tuple(curves)
        self._heads = [curve.head for curve in known]
        self._labels = [curve.label for curve in known]
        self._own, self._beside = np.array([curve.shares for curve in known], np.float32).reshape(-1, 2).T

    def highest(self, encoder: Logits, linear: Logits) -> list[float]:
        """For each attribute the highest logit of all windows, from (windows, heads) and (windows, labels)."""
        mixed = self._own * encoder[:, self._heads] + self._beside * linear[:, self._labels]
        highest: list[float] = mixed.max(axis=0).tolist()
        return highest


@dataclass(frozen=True, slots=True)
class Weights:
    """All that the engine works with, read and checked."""

    session: onnxruntime.InferenceSession
    linear: Linear
    tokenizer: tokenizers.Tokenizer
    spellings: Spellings
    curves: dict[str, Curve]
    mixture: Mixture
    mark: float
    version: str


@cache
def load(folder: Path, threads: int) -> Weights:
    """The weights of a folder, read once a process; raises WeightsError for a missing or changed file."""
    files, version = verified(folder)
    calibration = json.loads(files["calibration.json"])
    tokenizer = tokenizers.Tokenizer.from_str(files["tokenizer.json"].decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    curves = {name: curve(known) for name, known in calibration["attributes"].items()}
    return Weights(
        session=session(files["model.onnx"], threads),
        linear=linear.read(files["linear.npz"]),
        tokenizer=tokenizer,
        spellings=spellings.read(files["spellings.json"]),
        curves=curves,
        mixture=Mixture(curves.values()),
        mark=float(calibration["mark"]),
        version=version,
    )


def verified(folder: Path) -> tuple[dict[str, bytes], str]:
    """The files' bytes, each with the digest that the manifest gives, and the version they make up."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        files = {name: (folder / name).read_bytes() for name in FILES}
    except OSError as problem:
        raise WeightsError(
            f"The bundled model's file {problem.filename} cannot be read: {problem.strerror}."
        ) from problem
    except ValueError as problem:
        raise WeightsError(f"The bundled model's file {folder / 'manifest.json'} is damaged.") from problem
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != _digest(manifest, name):
            raise WeightsError(f"The bundled model's file {folder / name} is not the one that was shipped.")
    digest = hashlib.sha256("".join(manifest["sha256"][name] for name in FILES).encode()).hexdigest()
    return files, f"{manifest.get('version')}+{digest[:12]}"


def _digest(manifest: Any, name: str) -> str | None:
    """What the manifest says of a file; None where it says nothing, whatever else it is."""
    digests = manifest.get("sha256") if isinstance(manifest, dict) else None
    found = digests.get(name) if isinstance(digests, dict) else None
    return found if isinstance(found, str) else None


def session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def curve(known: dict[str, Any]) -> Curve:
    own, beside = known["shares"]
    return Curve(
        known["head"], known["label"], (own, beside), np.asarray(known["logits"]), np.asarray(known["chances"])
    )
