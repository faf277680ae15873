"""The encoder that is trained and the graph that ships say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: `make test-detoxify` installs it")
training = pytest.importorskip("moderation.training.encoder", reason="`make test-detoxify` installs it")
export = pytest.importorskip("moderation.training.export", reason="`make test-detoxify` installs onnx")

Numbers = npt.NDArray[Any]

HEADS = 8


def made() -> Any:
    torch.manual_seed(3)
    return training.Encoder(HEADS, vocabulary=500, positions=64).eval()


def batch() -> tuple[Numbers, Numbers]:
    """Two texts, the second one shorter."""
    ids = np.random.default_rng(5).integers(1, 500, (2, 24)).astype(np.int32)
    mask = np.ones_like(ids)
    ids[1, 15:] = mask[1, 15:] = 0
    return ids, mask


def said(encoder: Any) -> tuple[Numbers, Numbers]:
    ids, mask = (torch.from_numpy(part).long() for part in batch())
    with torch.no_grad():
        logits, marks = encoder(ids, mask)
    return logits.numpy(), marks.numpy()


def test_the_graph_says_what_the_encoder_says(tmp_path: Path) -> None:
    encoder = made()
    export.write_onnx({name: value.numpy() for name, value in encoder.state_dict().items()}, tmp_path / "model.onnx")
    ids, mask = batch()
    logits, marks = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"ids": ids, "mask": mask})
    expected, expected_marks = said(encoder)
    assert np.abs(logits - expected).max() < 0.05
    assert np.abs(marks - expected_marks)[mask == 1].max() < 0.05
