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


def made(layers: int) -> Any:
    torch.manual_seed(3)
    return training.Encoder(HEADS, vocabulary=500, positions=64, layers=layers).eval()


def said(encoder: Any, ids: Numbers) -> tuple[Numbers, Numbers]:
    whole = torch.from_numpy(ids).long()
    with torch.no_grad():
        logits, marks = encoder(whole, torch.ones_like(whole))
    return logits.numpy(), marks.numpy()


@pytest.mark.parametrize("layers", [training.LAYERS, 4])
@pytest.mark.parametrize("length", [1, 24, 64])
def test_the_graph_says_what_the_encoder_says(layers: int, length: int, tmp_path: Path) -> None:
    encoder = made(layers)
    export.write_onnx({name: value.numpy() for name, value in encoder.state_dict().items()}, tmp_path / "model.onnx")
    ids = np.random.default_rng(5).integers(1, 500, (2, length)).astype(np.int32)
    logits, marks = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"ids": ids})
    expected, expected_marks = said(encoder, ids)
    assert np.abs(logits - expected).max() < 0.05
    assert np.abs(marks - expected_marks).max() < 0.05
