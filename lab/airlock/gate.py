"""The gate of the airlock (出域关口): every check by kind of file, then what files tell together and with earlier ones.

The same code runs in a researcher's notebook before anything is asked. It opens no ledger and no shelf: what was
carried out before and which versions are promoted are given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from credit.gate import Finding, Outcome, Verdict
from lab.airlock.checks.cross_table_suppression import unhidden
from lab.airlock.checks.differencing import Placed, differences
from lab.airlock.checks.near_sums import near_sums
from lab.airlock.checks.small_cells import TableCase
from lab.airlock.checks.trouble import Trouble, as_finding, fail, review
from lab.airlock.files import text as texts
from lab.airlock.files.file_inspection import Looked
from lab.airlock.files.file_kinds import Kind, kind_of, name_trouble
from lab.airlock.files.model import look_at_model, look_at_version
from lab.airlock.files.notebook import look_at_notebook
from lab.airlock.files.picture import look_at_jpeg, look_at_png
from lab.airlock.files.svg import look_at_svg
from lab.airlock.files.table import look_at_json, look_at_parquet, look_at_table, look_at_text
from lab.airlock.parcel_context import About, Context
from lab.airlock.thresholds import Thresholds, load

THIS = "this parcel"
Promoted = Callable[[str], bool]
"""True for the id of a version on the shelf that was promoted."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, and of each file that could be read: its kind, the bytes that would leave, its tables."""

    verdict: Verdict
    files: Mapping[str, Looked]


_LOOK: Mapping[Kind, Callable[[str, bytes, About, Thresholds], Looked]] = {
    Kind.TABLE: look_at_table,
    Kind.JSON: look_at_json,
    Kind.PARQUET: look_at_parquet,
    Kind.PNG: look_at_png,
    Kind.JPEG: look_at_jpeg,
    Kind.SVG: look_at_svg,
    Kind.NOTEBOOK: look_at_notebook,
    Kind.MODEL: look_at_model,
    Kind.TEXT: look_at_text,
}


def judge_parcel(
    files: Mapping[str, bytes],
    *,
    context: Context | None = None,
    earlier: Sequence[Placed] = (),
    promoted: Promoted | None = None,
    thresholds: Thresholds | None = None,
) -> Judged:
    """The verdict on a parcel. Nothing is recorded; nothing raises for what a file holds: that is a finding.

    ``context`` tells of each file; without it each file is taken to say nothing of itself, which a person must look at.
    """
    t = thresholds or load()
    findings: list[Finding] = list(_whole(files, context, t))
    seen: dict[str, Looked] = {}
    if not any(finding.outcome is Outcome.FAIL for finding in findings):  # what is too large is not even opened
        for name, content in files.items():
            told = context.files.get(name) if context else None
            looked = _look(name, content, told or About("not told"), promoted, t)
            findings += looked.findings
            if looked.kind is not None:
                seen[name] = looked
        findings += _together(seen, earlier, t)
    return Judged(Verdict("airlock", tuple(findings), dict(t)), seen)


def tables_in(name: str, content: bytes, about: About, thresholds: Thresholds) -> tuple[TableCase, ...]:
    """The tables in one file, as the gate reads them."""
    return _look(name, content, about, None, thresholds).tables


def _look(name: str, content: bytes, about: About, promoted: Promoted | None, t: Thresholds) -> Looked:
    kind = kind_of(name, content)
    if isinstance(kind, Trouble):
        return Looked(None, b"", (as_finding("kind", name, kind),))
    look = partial(look_at_version, promoted=promoted) if kind is Kind.VERSION else _LOOK[kind]
    looked = look(name, content, about, t)
    good = Finding("kind", Outcome.PASS, f"{name}: its content is {kind}", {"file": name, "kind": kind})
    return Looked(kind, looked.carried, (good, *looked.findings), looked.tables)


def _whole(files: Mapping[str, bytes], context: Context | None, t: Thresholds) -> list[Finding]:
    """How many files, how large, under which names, and what the context says of them."""
    found: list[Finding] = []

    def tell(check: str, trouble: Trouble, file: str = "") -> None:
        found.append(as_finding(check, file or THIS, trouble))

    if not t["files_at_least"] <= len(files) <= t["files_at_most"]:
        why = f"it holds {len(files)} files, and takes {t['files_at_least']} to {t['files_at_most']}"
        tell("size", fail(why, "Carry out what the purpose needs, in several parcels if it must be", files=len(files)))
    size = sum(map(len, files.values()))
    if size > t["parcel_bytes_at_most"]:
        tell("size", fail(f"{size} bytes are too many", "Carry out summaries, not data", bytes=size))
    for number, (name, content) in enumerate(files.items(), start=1):
        wrong = name_trouble(name, t["name_length_at_most"])
        hidden = not wrong and bool([*texts.named(name, t), *texts.digit_runs(name, t)])
        if wrong or hidden:
            why = wrong or "its name holds an identifier"
            tell("name", fail(why, "Name it in letters, digits, dots and dashes"), f"file {number}")
        if len(content) > t["file_bytes_at_most"]:
            tell("size", fail(f"{len(content)} bytes are too many", "Carry out a summary"), f"file {number}")
    folded = [name.casefold() for name in files]
    if len(set(folded)) < len(folded):
        tell("name", fail("two names differ in capitals only", "Give them different names"))
    if context is not None:
        found += _context(files, context, t)
    return found or [Finding("size", Outcome.PASS, f"{len(files)} files of {size} bytes", {"file": THIS})]


def _context(files: Mapping[str, bytes], context: Context, t: Thresholds) -> list[Finding]:
    """The context tells of each file and of no other, and is itself a text that leaves."""
    found = []
    silent, idle = len(files.keys() - context.files.keys()), len(context.files.keys() - files.keys())
    if silent or idle:
        why = f"it does not tell of {silent} files, and tells of {idle} that are not there"
        found.append(as_finding("context", THIS, fail(why, "Describe each file under its own name")))
    told = "\n".join(context.texts())
    for finding in texts.judge_text(THIS, told, texts.CHECKS, t):
        if finding.outcome is not Outcome.PASS:
            found.append(Finding(f"context: {finding.check}", finding.outcome, finding.why, finding.evidence))
    return found


def _together(seen: Mapping[str, Looked], earlier: Sequence[Placed], t: Thresholds) -> list[Finding]:
    """Differencing: each table against those before it in the parcel, and against all earlier ones."""
    mine = [Placed(THIS, name, case) for name, looked in seen.items() for case in looked.tables]
    against = list(earlier)
    found: list[Finding] = []
    rows = sum(new.case.grid.rows for new in mine)
    if rows > t["rows_at_most"]:
        why = f"its tables have {rows} rows together: a table in pieces?"
        found.append(as_finding("row-level data", THIS, review(why, "Carry out what the purpose needs", rows=rows)))
    if len(against) > t["earlier_tables_at_most"]:
        why = f"of {len(against)} tables outside only the newest {t['earlier_tables_at_most']} were compared"
        found.append(as_finding("differencing", THIS, review(why, "Close the project and open a new one")))
        against = against[-t["earlier_tables_at_most"] :]
    for number, new in enumerate(mine):
        for old in (*against, *mine[:number]):
            troubles = (*differences(new, old, t), *near_sums(new, old, t), *unhidden(new, old, t))
            found += [as_finding("differencing", new.file, trouble) for trouble in troubles]
    if mine and all(finding.check != "differencing" for finding in found):
        why = f"{len(mine)} tables were held against each other and against {len(against)} earlier ones"
        found.append(Finding("differencing", Outcome.PASS, why, {"file": THIS}))
    return found
