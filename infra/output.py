"""What the command line prints: plain lines for people, or one JSON document for programs (``--json``)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from credit.errors import Refused

if TYPE_CHECKING:  # every verb prints, and no verb should wait for what another one prints with
    from rich.console import Console

    from credit.trace import Chain
    from infra.sandbox.preflight import Check

PIPE_WIDTH = 10_000  # characters: in a pipe or a file no line is wrapped and no table is cut
COLOURS = {"pass": "green", "review": "yellow"}


def console() -> Console:
    """Standard output: as wide as the terminal (or ``COLUMNS``), without a limit in a pipe."""
    from rich.console import Console

    is_limited = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_limited else PIPE_WIDTH)


def line(text: str, *, markup: bool = True, style: str | None = None) -> None:
    """Print a line; ``markup`` is rich's, such as ``[green]fine[/green]``."""
    console().print(text, markup=markup, style=style, soft_wrap=True)


def document(data: Mapping[str, Any]) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def result(data: Mapping[str, Any], *, as_json: bool, text: str = "") -> None:
    """Print the result of a verb: as JSON, or ``text`` and a line for each value."""
    if as_json:
        document(data)
        return
    if text:
        line(text)
    width = max(map(len, data), default=0)
    for key, value in data.items():
        console().print(f"  [dim]{key:{width}}[/dim]  {plain(value)}", soft_wrap=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table: no cell is cut, neither in a terminal nor in a pipe."""
    from rich.table import Table

    shown = Table(title=title, title_justify="left")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    console().print(shown)


def plain(value: Any) -> str:
    """A value in words: lists and mappings with commas, floats with four digits after the point."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def shares(counts: Mapping[str, float]) -> str:
    """Counts by grade as shares in percent, such as ``A 12.5 %, B 40.0 %``."""
    total = sum(counts.values()) or 1
    return ", ".join(f"{grade} {count / total:.1%}".replace("%", " %") for grade, count in counts.items())


def trace_chain(chain: Chain) -> None:
    """Print a chain as a tree of its links, each with its acts."""
    from rich.tree import Tree

    tree = Tree("[bold]back to the records[/bold]")
    for link in chain.links:
        branch = tree.add(f"[bold]{link.kind}[/bold] {link.id}  [dim]by {link.made_by} at {link.made_at}[/dim]")
        for key, value in link.facts.items():
            branch.add(f"[dim]{key}[/dim] {plain(value)}")
        for act in link.acts:
            branch.add(
                f"{act.verb} [dim]by {act.by} at {act.at:%Y-%m-%d %H:%M:%S} (entry {act.seq}, {act.id[:12]})[/dim]"
            )
    console().print(tree, soft_wrap=True)
    counted = ", ".join(f"{zone} {count}" for zone, count in chain.ledgers.items())
    line(f"actors: {', '.join(chain.actors)}")
    line(f"[green]verified[/green]: every signature and digest above; ledgers whole ({counted} entries)")


def score(data: Mapping[str, Any]) -> None:
    """Print a score with its strongest reasons."""
    points, probability = f"{data['points']:.2f}", f"{data['default_probability']:.2%}"
    line(f"[bold]{points}[/bold] points, grade [bold]{data['grade']}[/bold], default probability {probability}")
    line(f"  {data['base_points']:9.2f}  base")
    for reason in data["reasons"]:
        line(f"  {reason['points']:+9.2f}  {reason['zh']} [dim]{reason['en']}[/dim]")
    for rule in data["rules"]:
        line(f"  [red]rule[/red]  {rule['zh']} → {rule['grade']}")
    provenance = (f"score {data['score_id']}", f"version {data['version']}", f"snapshot {data['snapshot']['id']}")
    for each in (*provenance, f"as of {data['snapshot']['as_of']}", data["notice"]["zh"]):
        line(f"[dim]{each}[/dim]")


def evidence(model: str, version: str, figures: Mapping[str, Any]) -> None:
    """Print how well a version does on its holdout, beside its baseline and its challenger."""
    from models.validation.woe_benchmark.page import price_of_interpretability

    line(f"[bold]{model}[/bold] {version}")
    line(f"  judged {figures['judged_by']} on {figures['rows']} rows, {figures['positives']} of them defaulted")
    line(f"  {_auc(figures)}  KS {figures['ks']:.3f}  Brier {figures['brier']:.4f}")
    for other in (figures.get("baseline"), figures.get("challenger")):
        if other:
            line(f"  {other['what']}: {_auc(other)}")
    if figures.get("challenger"):
        price = price_of_interpretability(figures["challenger"])
        line(f"  price of interpretability, what the version has more: {price}")


def _auc(figures: Mapping[str, Any]) -> str:
    return f"AUC {figures['auc']:.3f} ({figures['auc_low']:.3f} to {figures['auc_high']:.3f})"


def preflight(checks: Iterable[Check], *, as_json: bool = False) -> int:
    """Print what the checks of a machine found, with the fixes; the exit code that follows from it."""
    checks = list(checks)
    code = Refused.exit_code if any(check.needed and not check.fine for check in checks) else 0
    if as_json:
        rows = [
            {"check": c.question, "fine": c.fine, "needed": c.needed, "result": c.result, "fix": c.fix} for c in checks
        ]
        document({"fine": code == 0, "checks": rows})
        return code
    for check in checks:
        colour, word = (
            ("green", "fine")
            if check.fine
            else ("yellow", "could be better")
            if not check.needed
            else ("red", "lacking")
        )
        line(f"[{colour}]{word:15}[/{colour}] {check.question}: {check.result}")
        if not check.fine:
            line(f"                → {check.fix}", markup=False)
    return code


def gate_verdict(data: Mapping[str, Any]) -> None:
    """Print the verdict of the promotion gate, with each of its findings."""
    verdict = data.get("verdict")
    passed = verdict is None or verdict["outcome"] == "pass"
    line(f"[bold]{'champion' if passed else 'refused'}[/bold] {data['version']}")
    for finding in verdict["findings"] if verdict else ():
        colour = COLOURS.get(finding["outcome"], "red")
        line(f"  [{colour}]{finding['outcome']:6}[/{colour}] {finding['check']}: {finding['why']}")
