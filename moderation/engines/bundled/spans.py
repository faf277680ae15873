"""Finds the words that carried a score, two ways that share one pass.

A head of its own, trained on comments in which people marked what was toxic, finds the words that are abusive in
themselves. What words alone do not carry (a threat, say) is found by leaving words out and seeing what the score loses.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from moderation.engines.bundled.windows import Window

ASKED = 0.1
MARKED_BY_HEAD = frozenset({"toxicity", "insult", "obscene", "abuse"})
CLOSE_UP = 32
MOST_CANDIDATES = 12
LEAST_LOSS = 0.25
SHARE_OF_HIGHEST = 0.4

Logits = npt.NDArray[np.float32]
Place = tuple[int, int]
Run = Callable[[Sequence[Window]], tuple[Logits, list[Logits]]]


def carriers(
    run: Run, parts: Sequence[Window], logits: Logits, marks: Sequence[Logits], asked: Mapping[str, int], mark: float
) -> dict[str, list[Place]]:
    """For each attribute asked about (name to head) the places in the folded text that carried it."""
    marked = joined([place for part, values in zip(parts, marks, strict=True) for place in above(part, values, mark)])
    found = {name: marked for name in asked if name in MARKED_BY_HEAD and marked}
    rest = {name: head for name, head in asked.items() if name not in found}
    if rest:
        found |= left_out(run, parts[int(logits[:, list(rest.values())].max(axis=1).argmax())], marked, rest)
    return found


def above(part: Window, values: Logits, mark: float) -> list[Place]:
    """The words of one window of which a token is marked."""
    high = {place for place, value in enumerate(values) if value >= mark}
    return [
        (part.offsets[first][0], part.offsets[last - 1][1])
        for first, last in words(part)
        if any(place in high for place in range(first, last))
    ]


def words(part: Window) -> list[Place]:
    """Runs of tokens that stand together without a space between, as token numbers."""
    if not len(part):
        return []
    starts = [at for at in range(len(part)) if at == 0 or part.offsets[at][0] > part.offsets[at - 1][1]]
    return list(zip(starts, [*starts[1:], len(part)], strict=True))


def trimmed(text: str, place: Place) -> Place:
    """The place without the signs at its ends, unless it is made of signs."""
    start, end = place
    inside = [at for at in range(start, end) if text[at].isalnum()]
    return (inside[0], inside[-1] + 1) if inside else place


def joined(places: Sequence[Place], gap: int = 1) -> list[Place]:
    """Places in order, those that overlap or stand next to each other made one."""
    whole: list[Place] = []
    for start, end in sorted(places):
        if whole and start <= whole[-1][1] + gap:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return whole


def left_out(run: Run, part: Window, marked: Sequence[Place], heads: Mapping[str, int]) -> dict[str, list[Place]]:
    """The words without which each head's score falls most, looked for where the score is highest."""
    near = close_up(run, part, list(heads.values()))
    groups = candidates(near, marked)
    logits, _ = run([near, *(without(near, group) for group in groups)])
    return {name: losers(near, groups, logits[0, head] - logits[1:, head]) for name, head in heads.items()}


def close_up(run: Run, part: Window, heads: list[int]) -> Window:
    """The stretch of a long window on which the heads score highest; a short window whole."""
    if len(part) <= CLOSE_UP:
        return part
    stretches = [part.part(start, start + CLOSE_UP) for start in range(0, len(part), CLOSE_UP // 2)]
    logits, _ = run(stretches)
    return stretches[int(logits[:, heads].max(axis=1).argmax())]


def candidates(part: Window, marked: Sequence[Place]) -> list[Place]:
    """Groups of neighbouring words, as token numbers: a marked stretch is one, the rest make up at most so many."""
    found = words(part)
    size = -(-len(found) // MOST_CANDIDATES) or 1
    groups: list[Place] = []
    held = 0
    for first, last in found:
        stretch = stretch_of(part.offsets[first][0], marked)
        if (
            groups
            and held
            and stretch == stretch_of(part.offsets[groups[-1][0]][0], marked)
            and (stretch or held < size)
        ):
            groups[-1] = (groups[-1][0], last)
            held += 1
        else:
            groups.append((first, last))
            held = 1
    return groups


def stretch_of(at: int, marked: Sequence[Place]) -> Place | None:
    """The marked stretch that a character stands in."""
    return next((place for place in marked if place[0] <= at < place[1]), None)


def without(part: Window, group: Place) -> Window:
    first, last = group
    return Window((*part.ids[:first], *part.ids[last:]), (*part.offsets[:first], *part.offsets[last:]))


def losers(part: Window, groups: Sequence[Place], losses: Logits) -> list[Place]:
    """The groups whose absence costs most, as places in the folded text."""
    if not len(losses) or losses.max() < LEAST_LOSS:
        return [(part.offsets[0][0], part.offsets[-1][1])] if len(part) else []
    kept = [group for group, loss in zip(groups, losses, strict=True) if loss >= SHARE_OF_HIGHEST * losses.max()]
    return joined([(part.offsets[first][0], part.offsets[last - 1][1]) for first, last in kept])
