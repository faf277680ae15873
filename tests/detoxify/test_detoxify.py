"""The real library's class with a real, tiny checkpoint that is built here, on a machine without a network."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from moderation import Engine, EngineUnavailable, Judge, Policy, Submission, load_policy, open_engine, read_policy
from service.cli.engine import engine as engine_command

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


def test_offline_the_command_that_opens_an_engine_says_where_the_file_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    said = run("open", "detoxify:unbiased", fails=True).stderr
    assert "Connect this machine once, or copy https://" in said
    assert f"to {tmp_path / 'checkpoints'}/toxic_debiased-c7548aa0.ckpt" in said


def test_a_file_that_is_no_checkpoint_is_told_apart(tmp_path: Path, policy: Policy) -> None:
    for name, content in {"empty": b"", "text": b"no checkpoint", "pickle": pickle.dumps({"state_dict": {}})}.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(EngineUnavailable, match="is no checkpoint that Detoxify can load"):
            open_engine(f"detoxify:{path}@{digest(path)}", policy)


def test_offline_a_checkpoint_without_its_tokenizer_says_what_to_do(
    checkpoint: Path, tmp_path: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the hub's library rests between its tries
    loaded = torch.load(checkpoint, weights_only=False)
    loaded["config"]["arch"]["args"]["model_type"] = "nobody/has-this-in-a-cache"
    path = tmp_path / "elsewhere.ckpt"
    torch.save(loaded, path)
    with pytest.raises(EngineUnavailable, match=r"could not be fetched[\s\S]*Connect this machine"):
        open_engine(f"detoxify:{path}@{digest(path)}", policy)


def test_the_shipped_policy_judges_by_it(engine: Engine) -> None:
    config = Path(__file__).parents[2] / "config"
    policy = read_policy(config / "policy.toml", config / "wordlists")
    decision = Judge(policy, [engine], timeout=60).decide(Submission("I thank the writer of this good report."))
    assert tuple(decision.scores[engine.name]) == ATTRIBUTES
    assert decision.engines == {engine.name: engine.version}
    asked = {name for name, threshold in policy.thresholds(engine.name).items() if name in ATTRIBUTES}
    assert asked == set(ATTRIBUTES)


# ---- converting ----


TEXTS = [
    "you vile rat",
    "i thank the writer of this good report",
    "Y0u v1le r.a.t!",
    "you vile rat. i thank you. " * 30,
]
WITHOUT_TORCH = """
import json, sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "detoxify", "onnx"):
            raise ImportError(f"{name} is not installed")


sys.meta_path.insert(0, Refuse())
from moderation import open_engine
spec, texts = json.load(sys.stdin)
engine = open_engine(spec)
told = {"name": engine.name, "attributes": engine.attributes, "languages": sorted(engine.languages)}
print(json.dumps({**told, "scores": engine.score(texts), "heavy": "torch" in sys.modules}))
"""


def run(*words: str, fails: bool = False) -> Result:
    """Run `flask engine …`."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(engine_command, words, catch_exceptions=False)
    assert (result.exit_code != 0) == fails, result.output
    return result


def without_torch(spec: str, texts: list[str]) -> Any:
    """What an engine says in a process in which torch, transformers and Detoxify cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], input=json.dumps([spec, texts]), capture_output=True, text=True,
        timeout=120, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def converted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """What `flask engine convert` made of the checkpoint, and what it said."""
    folder = tmp_path_factory.mktemp("converted") / "deeper" / "small"
    return folder, run("convert", f"detoxify:{checkpoint}@{digest(checkpoint)}", str(folder))


def test_the_command_says_what_it_does_and_what_came_of_it(converted: tuple[Path, Result]) -> None:
    folder, said = converted
    assert sorted(one.name for one in folder.iterdir()) == ["manifest.json", "model.onnx", "tokenizer.json"]
    assert [line[0] for line in said.stderr.splitlines() if re.match(r"\d\. .+ …$", line)] == list("1234")
    moved = re.search(r"No score of 8 texts moved by more than (\d\.\d{4}) \(0\.05 allowed\)\.", said.stdout)
    ratio = re.search(r"([\d.]+) times as fast here: (\S+) ms a text instead of (\S+)\.\n", said.stdout)
    assert moved
    assert ratio
    assert 0 <= float(moved[1]) <= 0.05
    assert float(ratio[1]) == pytest.approx(float(ratio[3]) / float(ratio[2]), rel=0.02, abs=0.1)
    assert said.stdout.endswith(f"Use it with ENGINE=detoxify:{folder}\n")


def test_what_was_converted_scores_alike_where_torch_is_not_installed(
    engine: Engine, converted: tuple[Path, Result]
) -> None:
    small = without_torch(f"detoxify:{converted[0]}", TEXTS)
    assert not small["heavy"]
    assert (small["name"], tuple(small["attributes"])) == (engine.name, engine.attributes)
    assert frozenset(small["languages"]) == engine.languages
    for one, other in zip(engine.score(TEXTS), small["scores"], strict=True):
        assert all(abs(one[name] - other[name]) <= 0.05 for name in ATTRIBUTES)
    assert len({round(scores["toxicity"], 3) for scores in small["scores"]}) > 1, "a model that tells texts apart"


def test_the_command_opens_what_it_wrote(converted: tuple[Path, Result]) -> None:
    said = run("open", f"detoxify:{converted[0]}").stdout
    assert re.match(r"detoxify:checkpoint int8\+[0-9a-f]{12}: opened in [\d.]+ s, a text in \d+ ms\n", said)
    assert " ".join(ATTRIBUTES) in said


def test_where_scores_would_move_too_far_nothing_is_left_behind(checkpoint: Path, tmp_path: Path) -> None:
    spec = f"detoxify:{checkpoint}@{digest(checkpoint)}"
    said = run("convert", spec, str(tmp_path / "small"), "--tolerance", "0", fails=True).stderr
    assert "more than 0.0. Not converted." in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays_as_it_is(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    spec = f"detoxify:{checkpoint}@{digest(checkpoint)}"
    for folder in (tmp_path, tmp_path / "mine"):
        assert "is there already and is not empty" in run("convert", spec, str(folder), fails=True).stderr
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


def test_what_is_converted_already_is_not_converted_again(converted: tuple[Path, Result], tmp_path: Path) -> None:
    said = run("convert", f"detoxify:{converted[0]}", str(tmp_path / "again"), fails=True).stderr
    assert "converted already" in said


def test_a_converted_file_that_was_changed_is_refused(
    converted: tuple[Path, Result], tmp_path: Path, policy: Policy
) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(converted[0], changed)
    model = changed / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    with pytest.raises(EngineUnavailable, match="not the file"):
        open_engine(f"detoxify:{changed}", policy)
