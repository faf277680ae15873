"""The shipped model as an engine: its files, its scores, its windows, its explanations."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from moderation import EngineUnavailable, Policy, Span, fold, open_engine
from moderation.engines import Engine
from moderation.engines.bundled import Bundled
from moderation.engines.bundled.weights import FILES, SHIPPED, Mixture
from tests.moderation.cases import shipped

JIGSAW = {"toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"}
KIND = "Thank you for this report, I learned a lot about the harbour."
VILE = "You are a pathetic fucking idiot and everybody hates you."


@pytest.fixture(scope="module")
def policy() -> Policy:
    return shipped()


@pytest.fixture(scope="module")
def engine(policy: Policy) -> Engine:
    return open_engine("bundled", policy)


def test_it_offers_the_six_attributes_and_says_which_weights_it_has(engine: Engine) -> None:
    assert set(engine.attributes) >= JIGSAW
    assert engine.languages == {"en"}
    assert engine.version.startswith("1+")


def test_its_files_take_at_most_thirty_megabytes() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 30_000_000


def test_the_weights_carry_their_licence_and_notice() -> None:
    assert {path.name for path in SHIPPED.iterdir()} == {*FILES, "manifest.json", "LICENSE", "NOTICE"}


def test_it_is_read_once_a_process(engine: Engine, policy: Policy) -> None:
    before = time.perf_counter()
    again = open_engine("bundled", policy)
    assert again.weights is engine.weights  # type: ignore[attr-defined]
    assert time.perf_counter() - before < 1.0


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(name: str, policy: Policy, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(EngineUnavailable, match="not the one that was shipped"):
        open_engine(f"bundled:{folder}", policy)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_told_by_its_name(name: str, policy: Policy, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    (folder / name).unlink()
    with pytest.raises(EngineUnavailable, match=name):
        open_engine(f"bundled:{folder}", policy)


@pytest.mark.parametrize(
    "text", ["", " ", "🙂", "?!", "a", "й" * 9_999, "x " * 5_000, "\u200d" * 40, "1 2 3", "ﷺ" * 500, VILE * 150]
)
def test_every_text_gets_a_chance_of_each_attribute(engine: Engine, text: str) -> None:
    (scores,) = engine.score([text])
    assert tuple(scores) == engine.attributes
    assert all(0 <= score <= 1 for score in scores.values())
    assert isinstance(engine.explain(text), dict)


def test_abuse_scores_high_and_thanks_score_low(engine: Engine) -> None:
    kind, vile = engine.score([KIND, VILE])
    assert kind["toxicity"] < 0.1 < 0.8 < vile["toxicity"]
    assert kind["insult"] < 0.1 < 0.6 < vile["insult"]


def test_a_threat_without_a_swear_word_scores_as_a_threat(engine: Engine) -> None:
    (scores,) = engine.score(["I will come to your house and kill you"])
    assert scores["threat"] > 0.5


@pytest.mark.parametrize("place", [0, 10, 60])
def test_abuse_counts_wherever_it_stands_in_a_long_text(engine: Engine, place: int) -> None:
    sentences = [KIND] * 60
    sentences.insert(place, VILE)
    calm, loaded = engine.score([" ".join([KIND] * 60), " ".join(sentences)])
    assert calm["toxicity"] < 0.1
    assert loaded["toxicity"] > 0.6


@pytest.mark.parametrize(
    "form", ["You are a f.u.c.k.i.n.g idiot", "You are a ｆｕｃｋｉｎｇ idiot", "Уou arе а fuсking іdiot"]
)
def test_a_disguise_hides_little(engine: Engine, form: str) -> None:
    plain, hidden = engine.score(["You are a fucking idiot", form])
    assert hidden["toxicity"] > plain["toxicity"] - 0.15


def test_many_threads_get_what_one_thread_gets(engine: Engine) -> None:
    texts = [KIND, VILE, "I hate this weather", "Resign, minister!"] * 5
    alone = [engine.score([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: engine.score([text])[0], texts))
    assert together == alone


def test_a_batch_scores_as_its_texts_do_alone(engine: Engine) -> None:
    texts = [KIND, VILE, "You are wrong about the bridge.", KIND * 30]
    alone = [engine.score([text])[0] for text in texts]
    for one, other in zip(engine.score(texts), alone, strict=True):
        assert one == pytest.approx(other, abs=0.1)  # int8 activations share one scale a batch


def test_no_texts_have_no_scores(engine: Engine) -> None:
    assert engine.score([]) == []


def test_it_shows_the_words_that_carried_the_score(engine: Engine) -> None:
    text = "Thanks for the report. You are a f.u.c.k.i.n.g 1d1ot, by the way."
    shown = [text[span.start : span.end] for span in engine.explain(text)["insult"]]
    assert any("1d1ot" in part for part in shown)
    assert not any("Thanks" in part for part in shown)


def test_it_shows_where_a_threat_stands(engine: Engine) -> None:
    text = "The bridge is closed again. I will kill you."
    spans = engine.explain(text)["threat"]
    assert any(span.end > text.index("I will") for span in spans)


@pytest.mark.parametrize("text", [VILE, "The bridge is closed again. I will kill you.", f"{KIND} " * 60 + VILE, KIND])
def test_what_was_just_scored_is_explained_like_what_was_not(text: str) -> None:
    scored, fresh = Bundled(), Bundled()
    scored.score([text])
    assert scored.explain(text) == fresh.explain(text)


def test_spans_lie_within_the_text(engine: Engine) -> None:
    text = "ﬀ Ｙｏｕ ａｒｅ ａ fuсking\u200d íd\u0336iot!!! " * 30
    for spans in engine.explain(text).values():
        assert all(isinstance(span, Span) and 0 <= span.start < span.end <= len(text) for span in spans)


def test_kind_words_have_nothing_to_explain(engine: Engine) -> None:
    assert engine.explain(KIND) == {}


def test_curves_never_fall() -> None:
    known = json.loads((SHIPPED / "calibration.json").read_text(encoding="utf-8"))["attributes"]
    for curve in known.values():
        assert curve["logits"] == sorted(curve["logits"])
        assert curve["chances"] == sorted(curve["chances"])


def test_opening_a_folder_of_ones_own_reads_that_folder(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    assert Bundled(folder).version == Bundled().version


@pytest.mark.parametrize("typed", ["fcuking id-iot", "f***ing idoit", "fu-cking i*iot", "fuking idiot"])
def test_a_broken_word_scores_like_the_plain_one_and_its_span_is_what_was_typed(engine: Engine, typed: str) -> None:
    plain, broken = engine.score([VILE, VILE.replace("fucking idiot", typed)])
    assert broken == plain
    text = VILE.replace("fucking idiot", typed)
    marked = " ".join(text[span.start : span.end] for span in engine.explain(text)["toxicity"])
    assert typed in marked


def test_an_engine_that_is_being_made_has_no_curves_yet() -> None:
    assert Mixture(()).highest(np.zeros((2, 3), np.float32), np.zeros((2, 6), np.float32)) == []


def test_which_of_two_names_a_group_goes_by_does_not_move_a_score(engine: Engine) -> None:
    formal, everyday = engine.score(["My brother is homosexual.", "My brother is gay."])
    assert formal == everyday


@pytest.mark.parametrize(
    "text",
    [
        "My HMO denied the claim, FGS, and so did SFU and the PUK.",
        "Message me on Kik, the crowd boos, Bobs your uncle, woo hoo!",
        "A blue tit, tit for tat, a GTO, a dik-dik and Puss in Boots.",
        "Yoon Suk Yeol met Choe Son-hui, Aldo Moro, Bich Nguyen and Idit Silman.",
        "Bastar district, Bastad tennis, Dum Dum airport, the Moros of Mindanao, Niger and the Nigers.",
        "Comme il faut, tant pis, une voix douce; ikke i dag; cok guzel.",
        "Her fagot and his magot, the pens on the shoe rack, poo on the shoe, morn has broken.",
        "She is shutting the hut and sits in the cuts of the mom-and-pop shop, filth on the balls of her feet.",
        "IDOT closed a lane beside the FCUK shop, says the BITC.",
        "Write to info@kik.example or see https://fcuk.example/idoit",
    ],
)
def test_names_abbreviations_and_other_languages_are_not_taken_for_broken_words(engine: Engine, text: str) -> None:
    assert engine.read(text).text == fold(text).text  # type: ignore[attr-defined]
