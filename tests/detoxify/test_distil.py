"""A shallower encoder is cut from a deeper one, and learns to say what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tokenizers

from moderation.engines.bundled.weights import SHIPPED

torch = pytest.importorskip("torch", reason="torch is not installed: `make test-detoxify` installs it")
training = pytest.importorskip("moderation.training.encoder", reason="`make test-detoxify` installs it")
distil = pytest.importorskip("moderation.training.distil", reason="`make test-detoxify` installs it")
train = pytest.importorskip("moderation.training.train", reason="`make test-detoxify` installs it")
rows = pytest.importorskip("moderation.training.rows", reason="`make test-detoxify` installs it")

HEADS = len(rows.HEADS)


def deep(seed: int = 3) -> Any:
    torch.manual_seed(seed)
    return training.Encoder(HEADS, vocabulary=30522, positions=64).eval()


def known() -> list[Any]:
    """Rows of two kinds, of several lengths."""
    kind = [rows.Row("a fine day for the match " * (n % 4 + 1) + str(n), {"unfit": 0.0}, "written") for n in range(48)]
    rude = [rows.Row(f"you are a fool, number {n}", {"unfit": 1.0, "abuse": 1.0}, "jigsaw") for n in range(48)]
    return [*kind, *rude]


def reader() -> tokenizers.Tokenizer:
    """The shipped tokenizer, which is the one that training reads with."""
    made = tokenizers.Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    made.enable_truncation(32)
    made.no_padding()
    return made


def first_batch() -> Any:
    return next(train.batches(known(), 1, reader()))


def apart(teacher: Any, encoder: Any, batch: Any) -> float:
    """How far a batch is read and judged from how the teacher does."""
    with torch.no_grad():
        hidden = encoder.read(batch.ids, batch.mask)
        return float(teacher.unlike(batch, hidden, *encoder.judged(hidden, batch.mask)))


def test_a_cut_keeps_the_layers_that_were_asked_for_and_all_else() -> None:
    whole = deep()
    made = distil.cut(whole, (0, 5))
    assert len(made.blocks) == 2
    assert torch.equal(made.blocks[1].up.weight, whole.blocks[5].up.weight)
    assert torch.equal(made.heads.weight, whole.heads.weight)
    with torch.no_grad():
        made.blocks[0].up.weight.zero_()
    assert whole.blocks[0].up.weight.abs().sum() > 0


def test_with_every_layer_kept_the_cut_says_what_the_whole_says() -> None:
    whole, batch = deep(), first_batch()
    made = distil.cut(whole, range(training.LAYERS)).eval()
    with torch.no_grad():
        assert torch.equal(made(batch.ids, batch.mask)[0], whole(batch.ids, batch.mask)[0])


def test_the_teacher_is_nearer_to_itself_than_to_another() -> None:
    whole, batch = deep(), first_batch()
    teacher = distil.Deeper(deep(), "cpu")
    assert apart(teacher, whole, batch) < apart(teacher, deep(seed=4), batch)


def test_labels_of_our_own_comments_are_trusted_more_than_the_teacher() -> None:
    batch = first_batch()
    teacher = distil.Deeper(deep(), "cpu")
    batch.doubted[:] = False
    trusted = apart(teacher, deep(seed=4), batch)
    batch.doubted[:] = True
    assert apart(teacher, deep(seed=4), batch) == pytest.approx(distil.DOUBTED * trusted, rel=1e-3)


def test_two_courses_are_blended_parameter_by_parameter() -> None:
    one, other = deep(1).state_dict(), deep(2).state_dict()
    mixed = distil.blended(one, other, 0.25)
    name = "blocks.3.down.weight"
    assert torch.allclose(mixed[name], 0.75 * one[name] + 0.25 * other[name], atol=1e-6)


def test_a_short_course_brings_the_cut_nearer_to_its_teacher_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = deep()
    teacher = distil.Deeper(whole, "cpu")
    before = apart(teacher, distil.cut(whole).eval(), first_batch())
    plan = train.Plan(passes=2, rate=2e-4, head_rate=4e-4, length=32)
    run = train.Run(plan, tmp_path, "cpu", distil.cut(whole), teacher)
    shown = sum(train.copies(row) for row in known())
    while not train.is_spent(run):
        train.one_pass(run, known(), reader(), shown)
    run.save()
    assert apart(teacher, run.encoder.eval(), first_batch()) < before
    again = train.Run(plan, tmp_path, "cpu", distil.cut(whole), teacher)
    assert again.resume()
    assert again.step == run.step
    assert torch.equal(again.encoder.heads.weight, run.encoder.heads.weight)
    assert torch.equal(train.averaged(tmp_path / train.CHECKPOINT)["heads.weight"], run.average["heads.weight"])
