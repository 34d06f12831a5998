"""What the command line prints: plain lines for people, or one JSON document for programs (``--json``)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from credit.errors import Refused
from credit.trace import Chain
from models.validation.woe_benchmark.page import price

if TYPE_CHECKING:  # every verb prints, and few need what a sandbox does
    from infra.sandbox.preflight import Answer

console = Console(highlight=False)


def result(told: Mapping[str, Any], *, as_json: bool, text: str = "") -> None:
    """Print what a verb came to."""
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
        return
    if text:
        console.print(text)
    for key, value in told.items():
        console.print(f"  [dim]{key}[/dim]  {_plain(value)}", soft_wrap=True)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table."""
    shown = Table(title=title, title_justify="left")
    for column in columns:
        shown.add_column(column)
    for row in rows:
        shown.add_row(*(str(cell) for cell in row))
    console.print(shown)


def chain(found: Chain) -> None:
    """Print a chain as a tree of its links, each with its acts."""
    tree = Tree("[bold]the way back[/bold]")
    for link in found.links:
        branch = tree.add(f"[bold]{link.kind}[/bold] {link.id}  [dim]by {link.made_by} at {link.made_at}[/dim]")
        for key, value in link.facts.items():
            branch.add(f"[dim]{key}[/dim] {_plain(value)}")
        for act in link.acts:
            branch.add(
                f"{act.verb} [dim]by {act.by} at {act.at:%Y-%m-%d %H:%M:%S} (entry {act.seq}, {act.id[:12]})[/dim]"
            )
    console.print(tree, soft_wrap=True)
    counted = ", ".join(f"{zone} {count}" for zone, count in found.ledgers.items())
    console.print(f"actors: {', '.join(found.actors)}")
    console.print(f"[green]verified[/green]: every signature and digest above; ledgers whole ({counted} entries)")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def answer(told: Mapping[str, Any]) -> None:
    """Print a score with its strongest reasons."""
    points, probability = f"{told['points']:.2f}", f"{told['default_probability']:.2%}"
    console.print(
        f"[bold]{points}[/bold] points, grade [bold]{told['grade']}[/bold], default probability {probability}"
    )
    console.print(f"  {told['base_points']:9.2f}  base")
    for reason in told["reasons"]:
        console.print(f"  {reason['points']:+9.2f}  {reason['zh']} [dim]{reason['en']}[/dim]")
    for rule in told["rules"]:
        console.print(f"  [red]rule[/red]  {rule['zh']} → {rule['grade']}")
    behind = (f"score {told['score_id']}", f"version {told['version']}", f"snapshot {told['snapshot']['id']}")
    for line in (*behind, f"as of {told['snapshot']['as_of']}"):
        console.print(f"[dim]{line}[/dim]", soft_wrap=True)
    console.print(f"[dim]{told['notice']['zh']}[/dim]")


def figures(model: str, version: str, e: Mapping[str, Any]) -> None:
    """Print how well a version does."""
    console.print(f"[bold]{model}[/bold] {version}", soft_wrap=True)
    console.print(f"  judged {e['judged_by']} on {e['rows']} rows, {e['positives']} of them defaulted")
    console.print(
        f"  AUC {e['auc']:.3f} ({e['auc_low']:.3f} to {e['auc_high']:.3f})  KS {e['ks']:.3f}  Brier {e['brier']:.4f}"
    )
    if e.get("baseline"):
        b = e["baseline"]
        console.print(f"  {b['what']}: AUC {b['auc']:.3f} ({b['auc_low']:.3f} to {b['auc_high']:.3f})")
    if e.get("challenger"):
        c = e["challenger"]
        console.print(f"  {c['what']}: AUC {c['auc']:.3f} ({c['auc_low']:.3f} to {c['auc_high']:.3f})")
        console.print(f"  price of interpretability, what the version has more: {price(c)}")


def answers(found: Iterable[Answer]) -> int:
    """Print what a preflight found, with the fixes; the exit code it comes to."""
    lacking = 0
    for each in found:
        colour, word = (
            ("green", "fine") if each.fine else ("yellow", "could be better") if not each.needed else ("red", "lacking")
        )
        console.print(f"[{colour}]{word:15}[/{colour}] {each.question}: {each.found}", soft_wrap=True)
        if not each.fine:
            console.print(f"                → {each.fix}", soft_wrap=True, markup=False)
            lacking += each.needed
    return Refused.exit_code if lacking else 0


def verdict(told: Mapping[str, Any]) -> None:
    """Print what a gate found."""
    found = told.get("verdict")
    opened = found is None or found["outcome"] == "pass"
    console.print(f"[bold]{'champion' if opened else 'refused'}[/bold] {told['version']}", soft_wrap=True)
    for each in found["findings"] if found else ():
        colour = {"pass": "green", "review": "yellow"}.get(each["outcome"], "red")
        console.print(f"  [{colour}]{each['outcome']:6}[/{colour}] {each['check']}: {each['why']}", soft_wrap=True)
