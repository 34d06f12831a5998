"""``lab.carry_out``, ``lab.parcels``, ``lab.notices``: submit results for release, checked here first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from credit.errors import Malformed, Missing, Refused
from credit.gate import Finding, Outcome, Verdict
from credit.messages import Text, language_here
from lab.airlock.gate import judge_parcel
from lab.airlock.issue import fix_of
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.petition import verdict_of
from lab.library import gateway_client
from lab.library.display import html
from lab.library.sources import Source, seals_of

_MARK = {Outcome.PASS: "✓ pass 通过", Outcome.REVIEW: "? review 需说明", Outcome.FAIL: "✗ fail 不可出域"}
_WORST = (Outcome.FAIL, Outcome.REVIEW, Outcome.PASS)
_FINDINGS = ("", "file 文件", "check 检查", "found 发现", "what to do 怎么改")
_PARCELS = ("parcel", "title 标题", "files", "state 状态", "turn 轮到", "changed 更新")


class Prepared:
    """Files with their context and the verdict of the gate. :meth:`submit` submits them for review."""

    def __init__(self, files: Mapping[str, bytes], context: ParcelContext) -> None:
        self.files, self.context = dict(files), context
        self.verdict = judge_parcel(self.files, context=context).verdict
        if self.verdict.outcome is not Outcome.FAIL:  # the gateway compares with all earlier parcels of the project
            verdict = gateway_client.send_files("/v1/parcels/check", self.files, context=json.dumps(context.as_json()))
            self.verdict = verdict_of(verdict)

    def submit(self) -> Parcel:
        """Submit for review; raises :class:`~credit.errors.Refused` with the findings when the verdict is FAIL."""
        if self.verdict.outcome is Outcome.FAIL:
            _refuse(self.verdict)
        context = json.dumps(self.context.as_json())
        return Parcel(gateway_client.send_files("/v1/parcels", self.files, context=context))

    def __repr__(self) -> str:
        return f"{self._head()}\n{html.text_table(_FINDINGS, _rows(self.verdict))}"

    def _repr_html_(self) -> str:
        head = html.title(self._head(), ", ".join(self.files))
        return html.block(head, html.table(_FINDINGS, _rows(self.verdict)))

    def _head(self) -> str:
        if self.verdict.outcome is Outcome.FAIL:
            return "May not leave as it is 不可出域"
        looks = "two reviewers decide" if self.verdict.passed else "two reviewers decide, and must say why"
        return f"May be submitted: {looks} 可以提交"


class Parcel:
    """A submitted parcel: its state, the questions of the reviewers, and their decisions."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def id(self) -> str:
        """The id of the petition."""
        return str(self._data["id"])

    @property
    def state(self) -> str:
        """submitted, questioned, approved, refused, withdrawn or received, when last refreshed."""
        return str(self._data["state"])

    @property
    def verdict(self) -> Verdict:
        """The verdict of the gate at the submission."""
        return verdict_of(self._data["verdict"])

    @property
    def questions(self) -> list[dict[str, str | None]]:
        """The questions of reviewers, with the answers."""
        questions: list[dict[str, str | None]] = self._data["questions"]
        return questions

    @property
    def votes(self) -> list[dict[str, Any]]:
        """Both votes with their reasons, once both have voted."""
        votes: list[dict[str, Any]] = self._data["votes"]
        return votes

    @property
    def sealed(self) -> str | None:
        """The id of the sealed parcel in the outbox, once received."""
        sealed: str | None = self._data["sealed"]
        return sealed

    def refresh(self) -> Parcel:
        """Read the current state."""
        self._data = gateway_client.get(f"/v1/parcels/{self.id}")
        return self

    def answer(self, text: str) -> Parcel:
        """Answer the open question."""
        return self._act("answer", {"text": text})

    def withdraw(self) -> Parcel:
        """Withdraw the parcel."""
        return self._act("withdraw")

    def collect(self) -> Parcel:
        """Receive an approved parcel: it is checked again and sealed into the outbox."""
        return self._act("collect")

    def _act(self, verb: str, body: Any = None) -> Parcel:
        self._data = gateway_client.post(f"/v1/parcels/{self.id}/{verb}", body)
        return self

    def __repr__(self) -> str:
        return html.text_table(_PARCELS, [_row(self)])

    def _repr_html_(self) -> str:
        parts = [html.table(_PARCELS, [_row(self)])]
        for each in self.questions:
            parts.append(html.note(f"asked 问: {each['question']}"))
            parts.append(html.note(f"answered 答: {each['answer']}" if each["answer"] else "answer it: .answer('…')"))
        for vote in self.votes:
            outcome = "approved 同意" if vote["approve"] else "refused 不同意"
            parts.append(html.note(f"{outcome} {vote['reason']}"))
        return html.block(*parts)


class Parcels(list[Parcel]):
    """The project's parcels, the newest first."""

    def __repr__(self) -> str:
        return html.text_table(_PARCELS, [_row(each) for each in self]) if self else "no parcel yet"

    def _repr_html_(self) -> str:
        rows = [_row(each) for each in self]
        return html.table(_PARCELS, rows, caption=f"Parcels 出域申请 ({len(self)})") if self else html.note(repr(self))


class Notices(list[dict[str, Any]]):
    """Your tasks and the changes, the newest first."""

    def __repr__(self) -> str:
        return html.text_table(("", "parcel", "title", "what", "at"), self._rows()) if self else "nothing new"

    def _repr_html_(self) -> str:
        return html.table(("", "parcel", "title", "what", "at"), self._rows()) if self else html.note("nothing new")

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            ("→ you 待办" if n["yours"] else "", n["petition"][:20], n["title"], n["what"], html.minute(n["at"]))
            for n in self
        ]


def carry_out(
    *paths: str | Path,
    title: str,
    purpose: str,
    description: str | Mapping[str, str | Mapping[str, Any]],
    sources: Source | Sequence[Source],
    subjects: int = 0,
    recipients: Sequence[str] = (),
    submit: bool | None = None,
) -> Prepared | Parcel:
    """Submit files for release from the lab. The checks of the gate run here first and show what to correct.

    ``description`` describes each file (one text for all, or by name; a mapping may have ``what``, ``population``,
    ``counted``, ``subjects``, ``counts``); ``sources`` is what they were made from: rows, trainings, a comparison, or
    a result of practice tables, which marks the parcel as invented. ``subjects`` is the number of subjects behind each
    file. ``recipients`` are the accounts that may download the parcel beside you. The function then asks for
    confirmation; ``submit=True`` submits without asking, ``submit=False`` only checks. Returns a :class:`Parcel` when
    submitted, else a :class:`Prepared` with the findings. Raises :class:`~credit.errors.Refused` when files that may
    not leave are submitted.

    >>> import lab, pathlib
    >>> path = pathlib.Path("bands.csv")
    >>> _ = path.write_text("band,firms\\nA,3\\nB,60\\n")
    >>> context = {"title": "Bands", "purpose": "To show them", "description": "Firms by band", "subjects": 100}
    >>> drawn = lab.sql("SELECT kind FROM registration")
    >>> prepared = lab.carry_out(path, sources=drawn, submit=False, **context)
    >>> prepared.verdict.outcome.value
    'fail'
    >>> _ = path.write_text("band,firms\\nA,40\\nB,60\\n")
    >>> prepared = lab.carry_out(path, sources=drawn, submit=False, **context)
    >>> prepared.verdict.outcome.value
    'pass'
    """
    files = _read(paths)
    abouts = {name: _file_description(name, description, subjects) for name in files}
    prepared = Prepared(files, ParcelContext(title, purpose, abouts, seals_of(sources), tuple(recipients)))
    if submit or (submit is None and prepared.verdict.outcome is not Outcome.FAIL and _is_confirmed(prepared)):
        return prepared.submit()
    return prepared


def parcels() -> Parcels:
    """The project's parcels, the newest first.

    >>> import lab
    >>> isinstance(lab.parcels(), list)
    True
    """
    return Parcels(Parcel(data) for data in gateway_client.get("/v1/parcels"))


def notices(since: str = "") -> Notices:
    """Your tasks, and what changed (since a time, as ``2026-11-01T09:00:00+08:00``), the newest first."""
    return Notices(gateway_client.get("/v1/notices", **({"since": since} if since else {})))


def _read(paths: tuple[str | Path, ...]) -> dict[str, bytes]:
    if not paths:
        raise Malformed("export.no-files-named")
    files: dict[str, bytes] = {}
    for path in map(Path, paths):
        if not path.is_file():
            raise Missing("export.no-file", path_name=path.name)
        if path.name in files:
            raise Malformed("export.two-files-called", path_name=path.name)
        files[path.name] = path.read_bytes()
    return files


def _file_description(
    name: str, description: str | Mapping[str, str | Mapping[str, Any]], subjects: int
) -> FileDescription:
    described = description if isinstance(description, str) else description.get(name)
    if described is None:
        raise Malformed("export.no-description", name=name)
    if isinstance(described, str):
        return FileDescription(described, subjects=subjects)
    return FileDescription.parse({"subjects": subjects, **described}, where=f"the description of {name}")


def _is_confirmed(prepared: Prepared) -> bool:
    """True when the user confirms the submission; False where no input is possible."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is None:
        return False
    _show(prepared)
    try:
        return input("Submit it to the reviewers? 提交审核？ yes/no: ").strip().lower() in ("y", "yes", "是")
    except (EOFError, RuntimeError):  # ipykernel's StdinNotImplementedError is a RuntimeError
        return False


def _show(prepared: Prepared) -> None:
    from IPython.display import display

    display(prepared)  # type: ignore[no-untyped-call]


def _refuse(verdict: Verdict) -> None:
    failed = [each for each in verdict.findings if each.outcome is Outcome.FAIL]
    fixes = sorted({fix_of(each, language_here()) for each in failed} - {""})[:5]
    why = Text.several(each.as_reason() for each in failed[:5])
    remedy = Text.several(Text.verbatim(fix) for fix in fixes)
    raise Refused("export.parcel-may-not-leave-as", why=why, remedy=remedy, findings=failed)


def _rows(verdict: Verdict) -> list[tuple[str, ...]]:
    """Findings that need an action first, then one line for all that passed."""
    rows: list[tuple[str, ...]] = []
    findings = sorted(verdict.findings, key=lambda each: _WORST.index(each.outcome))
    for each in findings:
        if each.outcome is not Outcome.PASS:
            rows.append(_finding(each))
    passed = [each for each in findings if each.outcome is Outcome.PASS]
    if passed:
        rows.append((_MARK[Outcome.PASS], "", "all others", f"{len(passed)} checks passed", ""))
    return rows


def _finding(each: Finding) -> tuple[str, ...]:
    where = str(each.evidence.get("file", ""))
    reason = each.reason(language_here()).removeprefix(f"{where}: ").removeprefix(f"{where}：")
    return _MARK[each.outcome], where, each.check, reason, fix_of(each, language_here())


def _row(parcel: Parcel) -> tuple[str, ...]:
    data = parcel._data
    files = ", ".join(data["files"])
    return parcel.id[:20], data["context"]["title"], files, parcel.state, data["turn"], html.minute(data["changed_at"])
