"""What the command line prints: plain lines for people, or one JSON document for programs (``--json``)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from credit.errors import CreditError, Refused
from credit.messages import language_here
from infra.language.texts import columns, field, localized, translated, visible

if TYPE_CHECKING:  # every verb prints, and no verb should wait for what another one prints with
    from rich.console import Console

    from credit.gate import Finding
    from credit.trace import Chain
    from infra.sandbox.preflight import Check

PIPE_WIDTH = 10_000  # characters: in a pipe or a file no line is wrapped and no table is cut
STATES = {"green": "cli.preflight.fine", "yellow": "cli.preflight.better", "red": "cli.preflight.lacking"}
COLOURS = {"pass": "green", "review": "yellow"}


def console() -> Console:
    """Standard output: as wide as the terminal (or ``COLUMNS``), without a limit in a pipe."""
    from rich.console import Console

    is_limited = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, width=None if is_limited else PIPE_WIDTH)


def line(text: str, *, markup: bool = True, style: str | None = None) -> None:
    """Print a line; ``markup`` is rich's, such as ``[green]fine[/green]``: values in it must be :func:`safe`."""
    console().print(visible(text), markup=markup, style=style, soft_wrap=True)


def message(id: str, **params: Any) -> None:
    """Print the message of this id in the language of the shell; its text may have markup, its parameters have none."""
    line(localized(id, **{name: safe(value) for name, value in params.items()}).rstrip(" "))


def error(error: CreditError) -> None:
    """Print what, why and the remedy to standard error, in the language of the shell (LC_ALL, LC_MESSAGES, LANG)."""
    what, why, remedy = (visible(error.text(part, language_here())) for part in ("what", "why", "remedy"))
    from rich.console import Console

    errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
    errors.print(what, style="bold red", markup=False)
    for text in (why, remedy):
        if text:
            errors.print(f"  {text}", markup=False)


def safe(value: Any) -> str:
    """A value as it may stand in rich's markup: its brackets are text, and control characters are replaced."""
    from rich.markup import escape

    return escape(visible(str(value)))


def document(data: Mapping[str, Any]) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def result(data: Mapping[str, Any], *, as_json: bool, text: str = "") -> None:
    """Print the result of a verb: as JSON, or ``text`` and a line for each value with its name."""
    if as_json:
        document(data)
        return
    if text:
        line(text)
    names = {field(key): value for key, value in data.items()}
    width = max(map(columns, names), default=0)
    for name, value in names.items():
        line(f"  [dim]{safe(padded(name, width))}[/dim]  {safe(plain(value))}")


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print a table: no cell is cut, neither in a terminal nor in a pipe."""
    from rich.table import Table

    shown = Table(title=safe(title), title_justify="left")
    for column in columns:
        shown.add_column(safe(field(column)), overflow="fold")
    for row in rows:
        shown.add_row(*map(safe, row))
    console().print(shown)


def plain(value: Any) -> str:
    """A value in words: lists and mappings with commas, floats with four digits after the point."""
    if isinstance(value, Mapping):
        return ", ".join(f"{field(str(key))} {plain(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def padded(text: str, width: int) -> str:
    """A text with spaces after it, so that it takes ``width`` columns."""
    return text + " " * max(0, width - columns(text))


def shares(counts: Mapping[str, float]) -> str:
    """Counts by grade as shares in percent, such as ``A 12.5 %, B 40.0 %``."""
    total = sum(counts.values()) or 1
    return ", ".join(f"{grade} {count / total:.1%}".replace("%", " %") for grade, count in counts.items())


def trace_chain(chain: Chain) -> None:
    """Print a chain as a tree of its links, each with its acts."""
    from rich.tree import Tree

    tree = Tree(f"[bold]{localized('cli.trace.title')}[/bold]")
    for link in chain.links:
        made = localized("cli.trace.made", by=safe(link.made_by), at=safe(link.made_at))
        branch = tree.add(f"[bold]{safe(field(link.kind))}[/bold] {safe(link.id)}  [dim]{made}[/dim]")
        for key, value in link.facts.items():
            branch.add(f"[dim]{safe(field(key))}[/dim] {safe(plain(value))}")
        for act in link.acts:
            at = f"{act.at:%Y-%m-%d %H:%M:%S}"
            done = localized("cli.trace.act", by=safe(act.by), at=at, number=act.seq, entry=safe(act.id[:12]))
            branch.add(f"{safe(act.verb)} [dim]{done}[/dim]")
    console().print(tree, soft_wrap=True)
    counted = ", ".join(f"{zone} {count}" for zone, count in chain.ledgers.items())
    message("cli.trace.actors", names=", ".join(chain.actors))
    message("cli.trace.verified", counted=counted)


def score(data: Mapping[str, Any]) -> None:
    """Print a score with its strongest reasons."""
    points, probability = f"{data['points']:.2f}", f"{data['default_probability']:.2%}"
    message("cli.score.head", points=points, grade=data["grade"], probability=probability)
    message("cli.score.base", points=f"{data['base_points']:9.2f}")
    for reason in data["reasons"]:
        english = f" [dim]{safe(reason['en'])}[/dim]" if language_here() == "en" else ""
        line(f"  {reason['points']:+9.2f}  {safe(reason['zh'])}{english}")
    for rule in data["rules"]:
        message("cli.score.rule", rule=rule["zh"], grade=rule["grade"])
    names = {"score": data["score_id"], "version": data["version"], "snapshot": data["snapshot"]["id"]}
    names["as of"] = data["snapshot"]["as_of"]
    for each in (*(f"{field(name)} {value}" for name, value in names.items()), data["notice"]["zh"]):
        line(f"[dim]{safe(each)}[/dim]")


def evidence(model: str, version: str, figures: Mapping[str, Any]) -> None:
    """Print how well a version does on its holdout, beside its baseline and its challenger."""
    line(f"[bold]{safe(model)}[/bold] {safe(version)}")
    how = translated(figures["judged_by"])
    message("cli.evidence.judged", how=how, rows=figures["rows"], defaults=figures["positives"])
    line(f"  {_auc(figures)}  KS {figures['ks']:.3f}  Brier {figures['brier']:.4f}")
    for other in (figures.get("baseline"), figures.get("challenger")):
        if other:
            line(f"  {safe(translated(other['what']))}: {_auc(other)}")
    if figures.get("challenger"):
        message("cli.evidence.price", price=_price(figures["challenger"]["price_of_interpretability"]))


def _price(points: Mapping[str, Any]) -> str:
    if points["points"] is None:
        return localized("cli.evidence.price-unknown")
    gain, low, high = (f"{points[name]:+.2f}" for name in ("points", "low", "high"))
    return localized("cli.evidence.price-points", points=gain, low=low, high=high)


def _auc(figures: Mapping[str, Any]) -> str:
    value, low, high = (f"{figures[name]:.3f}" for name in ("auc", "auc_low", "auc_high"))
    return localized("cli.evidence.auc", auc=value, low=low, high=high)


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
        colour = "green" if check.fine else "red" if check.needed else "yellow"
        word = padded(localized(STATES[colour]), 15)
        line(f"[{colour}]{word}[/{colour}] {safe(translated(check.question))}: {safe(translated(check.result))}")
        if not check.fine:
            line(f"                → {translated(check.fix)}", markup=False)
    return code


def gate_verdict(data: Mapping[str, Any], findings: Iterable[Finding] = ()) -> None:
    """Print the verdict of the promotion gate, with each finding; ``findings`` have reasons in every language."""
    reasons = {finding.check: finding.reason(language_here()) for finding in findings}
    verdict = data.get("verdict")
    approvals = data.get("approvals", {"needed": 1, "by": []})
    in_production = data.get("granted", verdict is None or verdict["outcome"] == "pass")
    waits = not in_production and bool(approvals["by"])
    if in_production:
        word = localized("cli.verdict.champion")
    else:
        word = localized("cli.verdict.approved") if waits else localized("cli.verdict.refused")
    line(f"[bold]{word}[/bold] {safe(data['version'])}")
    if waits:
        given, names = len(approvals["by"]), ", ".join(approvals["by"])
        message("cli.verdict.one-of-two", given=given, needed=approvals["needed"], names=names)
    for finding in verdict["findings"] if verdict else ():
        colour, word = COLOURS.get(finding["outcome"], "red"), padded(field(finding["outcome"]), 6)
        check, why = finding["check"], reasons.get(finding["check"], finding["why"])
        line(f"  [{colour}]{safe(word)}[/{colour}] {safe(check)}: {safe(why)}")
