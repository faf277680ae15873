"""Writes measured figures into the model card, between its two marks, and touches nothing else of it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

START, END = "<!-- figures: written by make eval -->", "<!-- end of figures -->"


def write(card: Path, version: str, figures: Sequence[Mapping[str, Any]]) -> None:
    """Put the figures into the card; raises ValueError where it has no marks for them."""
    text = card.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise ValueError(f"{card} has no marks for figures")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    card.write_text(f"{before}{START}\n\n{body(version, figures)}\n{END}{after}", encoding="utf-8")


def body(version: str, figures: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"Engine `bundled`, version `{version}`.",
        "",
        "| | measured | 95 % interval | must | |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one['name']} | {one['value']:.4g} | {between(one)} | {one['must']} | {one['note']} |" for one in figures
    ]
    for one in figures:
        if one["detail"]:
            lines += ["", f"**{one['name']}**", "", *folded(one["detail"])]
    return "\n".join(lines) + "\n"


def between(figure: Mapping[str, Any]) -> str:
    return "" if math.isnan(figure["low"]) else f"{figure['low']:.4g} to {figure['high']:.4g}"


def folded(detail: Mapping[str, float]) -> Iterable[str]:
    """What lies behind a figure, worst first, several to a line."""
    told = [f"{name} {value:.3f}" for name, value in sorted(detail.items(), key=lambda item: item[1])]
    return (" · ".join(told[at : at + 6]) + "  " for at in range(0, len(told), 6))
