"""Runs a Detoxify checkpoint that `convert` turned into int8 ONNX: onnxruntime and tokenizers, no torch."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import tokenizers

from moderation.engines import EngineUnavailable
from moderation.engines.detoxify import sizes
from moderation.model import Span
from moderation.text import fold

FILES = ("model.onnx", "tokenizer.json")


class Converted:
    """A converted checkpoint from a folder; refuses files that `convert` did not write."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        manifest = read_manifest(folder)
        files = {name: (folder / name).read_bytes() for name in FILES}
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != manifest["sha256"][name]:
                raise EngineUnavailable(f"{folder / name} is not the file that was converted.")
        self.name = f"detoxify:{manifest['name']}"
        self.version = f"int8+{manifest['sha256']['model.onnx'][:12]}"
        self.attributes: tuple[str, ...] = tuple(manifest["attributes"])
        self.languages: frozenset[str] | None = frozenset(manifest["languages"])
        self._tokenizer = tokenizers.Tokenizer.from_str(files["tokenizer.json"].decode())
        length = manifest["length"]
        self._tokenizer.enable_truncation(sizes.window(length) + sizes.ENDS, stride=sizes.overlap(length))
        self._tokenizer.no_padding()
        self._session = opened(files["model.onnx"], threads)
        self._inputs = {known.name for known in self._session.get_inputs()}

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """The highest score of each text's windows, by attribute."""
        return [self.highest(text) for text in texts]

    def explain(self, text: str) -> dict[str, list[Span]]:
        """Nothing: the model does not say where its scores come from."""
        return {}

    def highest(self, text: str) -> dict[str, float]:
        read = self._tokenizer.encode(readable(text))
        chances = [self.chances(window) for window in (read, *read.overflowing)]
        return dict(zip(self.attributes, np.max(chances, axis=0).tolist(), strict=True))

    def chances(self, window: Any) -> npt.NDArray[np.float64]:
        known = {"input_ids": window.ids, "attention_mask": window.attention_mask, "token_type_ids": window.type_ids}
        fed = {name: np.array([known[name]], np.int64) for name in self._inputs}
        logits = self._session.run(None, fed)[0][0].astype(np.float64)
        scores: npt.NDArray[np.float64] = 1 / (1 + np.exp(-logits))
        return scores


def read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    except OSError as problem:
        raise EngineUnavailable(f"{folder} holds no converted model: {problem.strerror}.") from problem
    return manifest


def opened(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def readable(text: str) -> str:
    """The text as its author wrote it, unless it is disguised: then without the disguise."""
    folded = fold(text).text
    return text if folded == text.lower() else folded
