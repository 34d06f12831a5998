"""The applications for mandates (授权申请), with what came with them.

The ledger decides how far an application is, and the store repeats it, so that a bank can list what it requested.
Subjects are stored by pseudonym only. A document is deleted when its application is refused, withdrawn or lapsed, and
some years after the end of the mandate that it was granted for.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from credit.messages import Text
from serving.auth.mandates import Mandate
from serving.mandates.rules import BEFORE, OPEN, ApplicationState, Evidence
from serving.store.tables import StoreTables

_FIELDS = (
    "number, id, bank, subject, purpose, until, evidence, digest, batch, state, why, mandate, entry, seq, made_at, "
    "lapses_at"
)
_COLUMNS = f"{_FIELDS}, proposed, notified"
_MARKS = ", ".join("?" * 18)
_WITHOUT_DOCUMENT = (ApplicationState.REFUSED, ApplicationState.WITHDRAWN, ApplicationState.LAPSED)


@dataclass(frozen=True, slots=True)
class Application:
    """One application. `digest` is that of its document, consent or statement; `seq` is 0 before its ledger entry."""

    number: int
    id: str
    bank: str
    subject: str
    purpose: str
    until: str
    evidence: str
    digest: str
    batch: str
    state: ApplicationState
    why: str
    mandate: str | None
    entry: str
    seq: int
    made_at: float
    lapses_at: float

    def reason(self, language: str) -> str | None:
        """Why it was refused or revoked, in `en` or `zh`; None where nothing is said."""
        message = Text.from_json(json.loads(self.why)) if self.why else None
        return message.render(language) if message else None


@dataclass(frozen=True, slots=True)
class Draft:
    """An application that is about to be recorded, with its document or the `jti` of its consent."""

    id: str
    bank: str
    subject: str
    purpose: str
    until: str
    evidence: str
    digest: str
    batch: str
    lapses_at: float
    media: str = ""
    content: bytes = b""
    jti: str = ""


class ApplicationStore(StoreTables):
    """The applications in the store."""

    def draft(self, draft: Draft) -> bool:
        """Write an application down before its ledger entry; one that exists stays as it is.

        False, and nothing is written, when another application has used the consent.
        """
        return self.in_one(lambda store: store._draft(draft))

    def _draft(self, draft: Draft) -> bool:
        if self.application(draft.id) is not None:
            return True
        if draft.jti:
            sql = (
                "INSERT INTO used_consent (subject, jti, application) VALUES (?, ?, ?) ON CONFLICT DO NOTHING "
                "RETURNING application"
            )
            if not self.rows(sql, draft.subject, draft.jti, draft.id):
                return False
        state = ApplicationState.DRAFT
        row = (_next_number(), draft.id, draft.bank, draft.subject, draft.purpose, draft.until, draft.evidence,
               draft.digest, draft.batch, state, "", None, "", 0, time.time(), draft.lapses_at, 0, state)  # fmt: skip
        self.rows(f"INSERT INTO application ({_COLUMNS}) VALUES ({_MARKS})", *row)
        if draft.content:
            sql = "INSERT INTO application_document (application, media, content) VALUES (?, ?, ?)"
            self.rows(sql, draft.id, draft.media, draft.content)
        return True

    def record(self, name: str, state: ApplicationState, entry: str, seq: int) -> None:
        """The application is in the ledger now; later states stay."""
        sql = "UPDATE application SET state = ?, notified = ?, entry = ?, seq = ? WHERE id = ? AND state = ?"
        self.rows(sql, state, state, entry, seq, name, ApplicationState.DRAFT)

    def discard(self, name: str) -> None:
        """Forget an application that never reached the ledger; its consent may be used again."""

        def discard(store: ApplicationStore) -> None:
            sql = "DELETE FROM application WHERE id = ? AND state = ? RETURNING id"
            if store.rows(sql, name, ApplicationState.DRAFT):  # it may have reached the ledger in this very moment
                store.rows("DELETE FROM application_document WHERE application = ?", name)
                store.rows("DELETE FROM used_consent WHERE application = ?", name)

        self.in_one(discard)

    def move(self, name: str, state: ApplicationState, *, why: Text | None = None, mandate: str | None = None) -> None:
        """Change the state of an application as the ledger says it is, if it is in a state before that one."""

        def change(store: ApplicationStore) -> None:
            marks = ",".join("?" * len(BEFORE[state]))
            sql = "UPDATE application SET state = ?, why = ?, mandate = coalesce(?, mandate) WHERE id = ? "
            sql += f"AND state IN ({marks}) RETURNING id"
            words = json.dumps(why.as_json()) if why else ""
            if store.rows(sql, state, words, mandate, name, *BEFORE[state]) and state in _WITHOUT_DOCUMENT:
                store.rows("DELETE FROM application_document WHERE application = ?", name)

        self.in_one(change)

    def adopt(self, mandate: Mandate) -> None:
        """Add a mandate that was granted without an application, as by the platform itself; once."""
        if self.of_mandate(mandate.id) is not None:
            return
        state, name = ApplicationState.GRANTED, f"application-{mandate.id.removeprefix('mandate-')}"
        until = mandate.valid_until.isoformat()
        row = (_next_number(), name, mandate.bank, mandate.subject.hex, mandate.purpose, until, mandate.document_kind,
               mandate.document, "", state, "", mandate.id, "", 0, time.time(), 0.0, 1,
               state)  # fmt: skip
        self.rows(f"INSERT INTO application ({_COLUMNS}) VALUES ({_MARKS}) ON CONFLICT DO NOTHING", *row)

    def application(self, name: str) -> Application | None:
        """The application of this id."""
        return next(iter(self._select("id = ?", name)), None)

    def document(self, name: str) -> tuple[str, bytes] | None:
        """The media type and the bytes of an application's document."""
        rows = self.rows("SELECT media, content FROM application_document WHERE application = ?", name)
        return (str(rows[0][0]), bytes(rows[0][1])) if rows else None

    def page(self, bank: str, states: Sequence[str], *, before: int, limit: int) -> list[Application]:
        """A bank's applications in these states, the newest first, with numbers below `before`."""
        marks = ",".join("?" * len(states))
        where = f"bank = ? AND state IN ({marks}) AND number < ? ORDER BY number DESC LIMIT ?"
        return self._select(where, bank, *states, before, limit)

    def open_of(self, bank: str) -> int:
        """How many applications of a bank are open."""
        marks = ",".join("?" * (len(OPEN) + 1))
        sql = f"SELECT count(*) FROM application WHERE bank = ? AND state IN ({marks})"
        return int(self.rows(sql, bank, ApplicationState.DRAFT, *OPEN)[0][0])

    def documents_of(self, bank: str) -> int:
        """How many applications of a bank wait with a document."""
        sql = "SELECT count(*) FROM application WHERE bank = ? AND state IN (?, ?) AND evidence = ?"
        waits = (ApplicationState.DRAFT, ApplicationState.WAITING)
        return int(self.rows(sql, bank, *waits, Evidence.DOCUMENT)[0][0])

    def pages_of(self, bank: str, subject: str) -> int:
        """How many applications of a bank wait for this subject at its page."""
        sql = "SELECT count(*) FROM application WHERE subject = ? AND bank = ? AND evidence = ? AND state IN (?, ?)"
        waits = (ApplicationState.DRAFT, ApplicationState.WAITING)
        return int(self.rows(sql, subject, bank, Evidence.PAGE, *waits)[0][0])

    def of_subject(self, subject: str, *states: ApplicationState, limit: int = 500) -> list[Application]:
        """What concerns a subject and is in one of these states, the newest first."""
        where = f"subject = ? AND state IN ({','.join('?' * len(states))}) ORDER BY number DESC LIMIT ?"
        return self._select(where, subject, *states, limit)

    def revoked(self, limit: int = 1000) -> list[Application]:
        """The applications that are granted here although their mandate was revoked."""
        where = "state = ? AND mandate IN (SELECT id FROM mandate WHERE revoked_at IS NOT NULL) LIMIT ?"
        return self._select(where, ApplicationState.GRANTED, limit)

    def of_mandate(self, mandate: str) -> Application | None:
        """The application that a mandate was granted for."""
        return next(iter(self._select("mandate = ?", mandate)), None)

    def waiting(self, batch: str = "", limit: int = 1000) -> list[Application]:
        """The applications that wait for a person, of one batch or of all, the oldest first."""
        where = "state = ? AND (? = '' OR batch = ?) ORDER BY number LIMIT ?"
        return self._select(where, ApplicationState.WAITING, batch, batch, limit)

    def in_state(
        self, state: ApplicationState, *, until: str = "~", made_before: float = 1e18, above: int = 0, limit: int = 1000
    ) -> list[Application]:
        """The applications in a state that end before the day `until`, were made before a moment, and are numbered
        above `above`.
        """
        where = "state = ? AND until < ? AND made_at < ? AND number > ? ORDER BY number LIMIT ?"
        return self._select(where, state, until, made_before, above, limit)

    def overdue(self, now: float, limit: int = 1000) -> list[Application]:
        """The applications that have waited for a decision too long."""
        return self._select("state = ? AND lapses_at <= ? LIMIT ?", ApplicationState.WAITING, now, limit)

    def with_old_document(self, until: str, limit: int = 1000) -> list[Application]:
        """The applications whose mandate was to end before the day `until` and whose document is still stored."""
        where = "state IN (?, ?) AND until < ? AND id IN (SELECT application FROM application_document) LIMIT ?"
        return self._select(where, ApplicationState.EXPIRED, ApplicationState.REVOKED, until, limit)

    def delete_document(self, name: str) -> None:
        """Delete the document of an application; the digest stays."""
        self.rows("DELETE FROM application_document WHERE application = ?", name)

    def unproposed(self, limit: int) -> list[Application]:
        """The accepted applications that the platform has not been asked to sign."""
        where = "state = ? AND proposed = 0 ORDER BY number LIMIT ?"
        return self._select(where, ApplicationState.ACCEPTED, limit)

    def mark_proposed(self, names: Iterable[str]) -> None:
        """The platform has been asked to sign these."""

        def mark(store: ApplicationStore) -> None:
            for name in names:
                store.rows("UPDATE application SET proposed = 1 WHERE id = ?", name)

        self.in_one(mark)

    def unnotified(self, limit: int = 1000) -> list[Application]:
        """The applications whose bank has not been notified of their state."""
        return self._select("notified <> state ORDER BY number LIMIT ?", limit)

    def mark_notified(self, application: Application) -> None:
        """The bank's notification of this state is queued."""
        self.rows("UPDATE application SET notified = ? WHERE id = ?", application.state, application.id)

    @property
    def is_idle(self) -> bool:
        """Whether nothing may have to be done."""
        sql = (
            "SELECT 1 FROM application WHERE state IN (?, ?, ?, ?) OR notified <> state "
            "OR id IN (SELECT application FROM application_document) LIMIT 1"
        )
        return not self.rows(sql, ApplicationState.DRAFT, *OPEN, ApplicationState.GRANTED)

    def _select(self, where: str, *values: object) -> list[Application]:
        rows = self.rows(f"SELECT {_FIELDS} FROM application WHERE {where}", *values)
        return [_application(row) for row in rows]


_last_number = 0
_numbering = threading.Lock()


def _next_number() -> int:
    """A number (microseconds) above every earlier one of this process, and of others as far as clocks agree."""
    global _last_number
    with _numbering:
        _last_number = max(time.time_ns() // 1000, _last_number + 1)
        return _last_number


def _application(row: tuple[Any, ...]) -> Application:
    values = dict(zip(_FIELDS.split(", "), row, strict=True))
    return Application(**{**values, "state": ApplicationState(values["state"])})
