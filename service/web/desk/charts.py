"""Charts as numbers for a template to draw: where bars and lines stand in a fixed frame, what axes say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from service.review.numbers import OUTCOMES, Scores, Survival

LEFT, TOP, BOTTOM = 44, 14, 210
WAITS = (5, 15, 30, 60, 120, 240, 480, 1_440, 2_880, 5_760, 10_080)  # minutes that one bar may stand for
DOWN = BOTTOM - TOP
A_DAY = 58  # how wide the name of a day is, with some room


@dataclass(frozen=True, slots=True)
class Frame:
    """How wide a chart is drawn: letters are as large in a narrow one, and fewer of them stand along its foot.

    `minutes` are those that a logarithmic axis names.
    """

    name: str
    width: int
    minutes: tuple[int, ...]

    @property
    def right(self) -> int:
        """Where the axis ends; half of the last label stands beyond it."""
        return self.width - 22

    @property
    def across(self) -> int:
        """How long the axis is."""
        return self.right - LEFT


FRAMES = (
    Frame("wide", 560, (1, 5, 15, 60, 240, 1_440, 10_080)),
    Frame("narrow", 300, (1, 10, 60, 240, 1_440, 10_080)),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle with its class and what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars or a line over two axes in a frame; `lines` are upright marks with a label."""

    frame: Frame
    bars: Sequence[Bar] = ()
    path: str = ""
    across: Sequence[Tick] = ()
    up: Sequence[Tick] = ()
    lines: Sequence[Tick] = ()


def volume(days: Mapping[date, Mapping[str, int]], frame: Frame) -> Chart:
    """Comments a day, stacked by what became of them."""
    most = nice(max((sum(of_day.values()) for of_day in days.values()), default=0))
    step = frame.across / max(len(days), 1)
    bars: list[Bar] = []
    for number, (day, of_day) in enumerate(days.items()):
        slot, below = (LEFT + number * step + 1, max(step - 2, 1)), 0
        for outcome in OUTCOMES:
            title = f"{day:%d %b}: {of_day[outcome]} {outcome}"
            bars.append(_bar(slot, (below / most, of_day[outcome] / most), outcome, title))
            below += of_day[outcome]
    every = max(1, math.ceil(len(days) * A_DAY / frame.across))
    across = [Tick(LEFT + (n + 0.5) * step, f"{day.day} {day:%b}") for n, day in enumerate(days) if n % every == 0]
    return Chart(frame, bars, across=across, up=_up(most))


def _bar(slot: tuple[float, float], share: tuple[float, float], kind: str, title: str) -> Bar:
    """A bar in a slot (where it starts, how wide) from a share of the height (what lies below, how much)."""
    height, below = DOWN * share[1], DOWN * share[0]
    return Bar(round(slot[0], 2), round(BOTTOM - below - height, 2), round(slot[1], 2), round(height, 2), kind, title)


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits now, in twelve spans of `size` minutes each; the last has what waits longer, too."""

    minutes: Sequence[float]
    size: int
    rows: Sequence[tuple[str, int]]


def waits(minutes: Sequence[float]) -> Waits:
    """Comments that wait now, counted by how long."""
    size = next((s for s in WAITS if (max(minutes, default=0)) <= 12 * s), 43_200)
    bins = [0] * 12
    for wait in minutes:
        bins[min(int(wait // size), 11)] += 1
    rows = [(f"{spell(n * size)} to {spell((n + 1) * size)}", many) for n, many in enumerate(bins)]
    return Waits(minutes, size, rows)


def waiting(found: Waits, frame: Frame) -> Chart:
    """Comments that wait now, by how long."""
    most, step = nice(max(many for _, many in found.rows)), frame.across / len(found.rows)
    bars = [
        _bar((LEFT + n * step + 1, step - 2), (0, many / most), "waiting", f"{span}: {many}")
        for n, (span, many) in enumerate(found.rows)
    ]
    across = [Tick(LEFT + n * step, spell(n * found.size)) for n in range(0, 13, 3)]
    lines = [Tick(round(LEFT + step * at / found.size, 2), f"{name} {spell(at)}") for name, at in _marks(found.minutes)]
    return Chart(frame, bars, across=across, up=_up(most), lines=lines)


def _marks(minutes: Sequence[float]) -> list[tuple[str, float]]:
    """The wait in the middle and the longest."""
    sorted_ = sorted(minutes)
    return [("half wait under", sorted_[len(sorted_) // 2]), ("oldest", sorted_[-1])] if sorted_ else []


def latency(curve: Survival, frame: Frame) -> Chart:
    """The share still undecided, by time on a logarithmic scale from a minute to a week."""
    longest = math.log(10_080)

    def x(minutes: float) -> float:
        return round(LEFT + frame.across * min(max(math.log(max(minutes, 1)), 0) / longest, 1), 2)

    def y(share: float) -> float:
        return round(BOTTOM - DOWN * share, 2)

    path = [f"M{x(1)} {y(1)}"]
    for minutes, share in curve.steps[1:]:
        path.append(f"H{x(minutes)}V{y(share)}")
    across = [Tick(x(m), spell(m)) for m in frame.minutes]
    up = [Tick(y(share), f"{share:.0%}") for share in (0, 0.25, 0.5, 0.75, 1)]
    lines = [Tick(x(m), f"{p} in 100 by {spell(m)}") for p, m in curve.deciles.items() if m is not None]
    return Chart(frame, path="".join(path), across=across, up=up, lines=lines)


def scores(found: Scores, thresholds: Mapping[str, float], frame: Frame) -> Chart:
    """Each outcome's scores as a share of its own: published upwards, rejected downwards, thresholds drawn."""
    published, rejected = found.published, found.rejected
    middle, half = (TOP + BOTTOM) / 2, DOWN / 2
    step = frame.across / len(published)
    tallest = max((*_shares(published), *_shares(rejected)), default=0) or 1
    bars = []
    for n, (up, down) in enumerate(zip(_shares(published), _shares(rejected), strict=True)):
        x, width = round(LEFT + n * step + 1, 2), round(step - 2, 2)
        high, low = round(half * up / tallest, 2), round(half * down / tallest, 2)
        span = f"{n / 20:.2f} to {(n + 1) / 20:.2f}"
        bars.append(Bar(x, round(middle - high, 2), width, high, "read", f"{span}: {published[n]} published"))
        bars.append(Bar(x, round(middle, 2), width, low, "rejected", f"{span}: {rejected[n]} rejected"))
    across = [Tick(LEFT + frame.across * part / 5, f"{part / 5:.1f}") for part in range(6)]
    upright = [Tick(round(middle - half * part, 2), f"{abs(part) * tallest:.0%}") for part in (-1, -0.5, 0.5, 1)]
    lines = [Tick(LEFT + frame.across * at, f"{name} {at:.2f}") for name, at in thresholds.items()]
    return Chart(frame, bars, across=across, up=upright, lines=lines)


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [many / total for many in counts]


def _up(most: float) -> list[Tick]:
    return [Tick(round(BOTTOM - DOWN * part / 4, 2), f"{most * part / 4:,.0f}") for part in range(5)]


def nice(most: float) -> float:
    """The next round number above, which the axis ends at: four whole steps of a size that people count in."""
    size = 10 ** max(0, math.floor(math.log10(max(most, 1))) - 1)
    steps = (size * part for part in (1, 2, 3, 5, 10, 15, 20, 25, 50))
    return float(next(4 * step for step in steps if 4 * step >= most))


def spell(minutes: float) -> str:
    """A span of time in a few signs."""
    if minutes < 60:
        return f"{minutes:.0f} min"
    if minutes < 1_440:
        return f"{_short(minutes / 60)} h"
    return f"{_short(minutes / 1_440)} d"


def _short(number: float) -> str:
    """A number with one place where that says something."""
    return f"{number:.0f}" if number >= 20 else f"{number:.1f}".removesuffix(".0")
