"""The real library's class with a real, tiny checkpoint that is built here, on a machine without a network."""

from __future__ import annotations

import hashlib
import math
import socket
from pathlib import Path
from typing import Any

import pytest

from moderation import Policy, load_policy, open_engine
from moderation.engines import Engine, EngineUnavailable

torch = pytest.importorskip("torch", reason="torch is not installed: `make test-detoxify` installs it")
pytest.importorskip("detoxify", reason="detoxify is not installed: `make test-detoxify` installs it")

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's and transformers' own deprecations

CLASSES = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
ATTRIBUTES = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
WORDS = ["you", "are", "a", "vile", "rat", "and", "i", "thank", "the", "writer", "of", "this", "good", "report"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("the network is blocked in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights, its tokenizer, and a checkpoint as Detoxify's training writes it."""
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdefghijklmnopqrstuvwxyz.,!"]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)), encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    torch.manual_seed(1)
    shape = BertConfig(
        vocab_size=len(set(vocabulary)), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, num_labels=len(CLASSES),
    )  # fmt: skip
    shape.save_pretrained(folder)
    model = BertForSequenceClassification(shape)
    torch.nn.init.normal_(model.classifier.weight, std=0.5)
    known = {
        "model_type": str(folder),
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizerFast",
        "num_classes": len(CLASSES),
    }
    config = {"dataset": {"args": {"classes": CLASSES}}, "arch": {"args": known}}
    path = folder / "tiny.ckpt"
    torch.save({"config": config, "state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def policy() -> Policy:
    shipped = Path(__file__).parents[2] / "config" / "policy.toml"
    return load_policy(shipped.read_text(encoding="utf-8"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def engine(checkpoint: Path, policy: Policy) -> Engine:
    return open_engine(f"detoxify:{checkpoint}@{digest(checkpoint)}", policy)


def test_the_librarys_own_class_scores_with_the_names_that_we_use(engine: Engine) -> None:
    assert type(engine.model).__module__ == "detoxify.detoxify"  # type: ignore[attr-defined]
    assert engine.attributes == ATTRIBUTES
    (scores,) = engine.score(["you are a vile rat"])
    assert tuple(scores) == ATTRIBUTES
    assert all(0 <= score <= 1 and math.isfinite(score) for score in scores.values())


@pytest.mark.parametrize("texts", [[], ["you"], ["you", "are a rat"], ["", "!"]])
def test_answers_have_one_shape_whatever_the_number_of_texts(engine: Engine, texts: list[str]) -> None:
    assert [tuple(scores) for scores in engine.score(texts)] == [ATTRIBUTES] * len(texts)


def test_scores_are_those_of_the_library_itself(engine: Engine) -> None:
    text = "you are a vile rat"
    straight = engine.model.predict(text)  # type: ignore[attr-defined]
    assert engine.score([text])[0] == pytest.approx(straight)


def test_the_end_of_a_long_text_counts(engine: Engine) -> None:
    calm, end = "i thank the writer of this good report. " * 30, "you vile rat " * 20
    alone, both = engine.score([calm])[0], engine.score([calm + end])[0]
    assert any(abs(alone[name] - both[name]) > 1e-4 for name in ATTRIBUTES)


def test_a_checkpoint_with_another_digest_is_never_opened(checkpoint: Path, policy: Policy) -> None:
    with pytest.raises(EngineUnavailable, match="was not opened"):
        open_engine(f"detoxify:{checkpoint}@{'0' * 64}", policy)


def test_a_checkpoint_without_a_digest_is_never_opened(checkpoint: Path, policy: Policy) -> None:
    with pytest.raises(EngineUnavailable, match="SHA-256"):
        open_engine(f"detoxify:{checkpoint}", policy)


@pytest.mark.parametrize("name", ["", "modern", "../up"])
def test_a_model_that_nobody_published_is_told_apart(name: str, policy: Policy) -> None:
    with pytest.raises(EngineUnavailable, match="no Detoxify model"):
        open_engine(f"detoxify:{name}", policy)


def test_offline_a_published_model_says_what_to_do(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="could not be fetched"):
        open_engine("detoxify:original", policy)


def test_a_converted_checkpoint_scores_alike_without_torch(engine: Engine, policy: Policy, tmp_path: Path) -> None:
    from moderation.engines.detoxify.convert import TOLERANCE, convert

    done = convert(engine, tmp_path / "small")  # type: ignore[arg-type]
    assert done.difference <= TOLERANCE
    small = open_engine(f"detoxify:{tmp_path / 'small'}", policy)
    assert (small.name, small.attributes, small.languages) == (engine.name, engine.attributes, engine.languages)
    text = "i thank the writer of this good report, you vile rat. " * 20
    one, other = engine.score([text])[0], small.score([text])[0]
    assert all(abs(one[name] - other[name]) <= TOLERANCE for name in ATTRIBUTES)


def test_a_converted_file_that_was_changed_is_refused(engine: Engine, policy: Policy, tmp_path: Path) -> None:
    from moderation.engines.detoxify.convert import convert

    convert(engine, tmp_path / "small")  # type: ignore[arg-type]
    model = tmp_path / "small" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    with pytest.raises(EngineUnavailable, match="not the file"):
        open_engine(f"detoxify:{tmp_path / 'small'}", policy)
