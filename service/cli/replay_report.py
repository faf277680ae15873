"""What `replay` prints: outcomes, findings, latency, deliveries, and, where the file has labels, how right it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from service.cli.replay_client import Outcome

NAMES = {201: "approved", 202: "held", 422: "rejected"}


def print_report(console: Console, engine: str, outcomes: Sequence[Outcome], events: int, received: int) -> None:
    """The whole report."""
    console.print(f"\n{len(outcomes)} comments, engine {engine}")
    console.print(_counts("Outcome", Counter(NAMES.get(o.status, f"refused ({o.status})") for o in outcomes)))
    console.print(_counts("Finding", Counter(code for o in outcomes for code in set(o.codes))))
    console.print(_latency(sorted(o.milliseconds for o in outcomes)))
    if any(o.label for o in outcomes):
        console.print(_against_labels(outcomes))
    console.print(f"Events {events}, of which arrived at the receiver {received}")


def _counts(title: str, counts: Counter[str]) -> Table:
    table = Table(title, "comments", "share")
    total = sum(counts.values()) or 1
    for name, count in counts.most_common():
        table.add_row(name, str(count), f"{count / total:.1%}")
    return table


def _latency(milliseconds: list[float]) -> Table:
    table = Table("Latency (ms)", *(f"p{q}" for q in (50, 90, 95, 99)), "max")
    if milliseconds:
        at = [milliseconds[min(len(milliseconds) - 1, int(len(milliseconds) * q / 100))] for q in (50, 90, 95, 99)]
        table.add_row("", *(f"{value:.1f}" for value in (*at, milliseconds[-1])))
    return table


def _against_labels(outcomes: Sequence[Outcome]) -> Table:
    """Held or rejected against the label: precision, recall and the share of fit comments stopped."""
    judged = [(o.status != 201, o.label == "1") for o in outcomes if o.status in NAMES]
    stopped, unfit = sum(s for s, _ in judged), sum(u for _, u in judged)
    both = sum(s and u for s, u in judged)
    table = Table("Against the labels", "value")
    table.add_row("labelled unfit", str(unfit))
    table.add_row("held or rejected", str(stopped))
    table.add_row("precision", f"{both / stopped:.3f}" if stopped else "-")
    table.add_row("recall", f"{both / unfit:.3f}" if unfit else "-")
    fit = len(judged) - unfit
    table.add_row("fit comments stopped", f"{(stopped - both) / fit:.3f}" if fit else "-")
    return table
