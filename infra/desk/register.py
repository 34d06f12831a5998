"""The register of requests: checks what a person who signed in requests, and writes it into the desk's ledger."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import canonical, digest
from credit.confirmation import Confirmation, Move, after_move
from credit.errors import Malformed, Missing, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.ledger.entry import Act
from credit.ledger.fold_checkpoint import FoldCheckpoint
from credit.messages import Text
from credit.requests.flows import FLOWS, flow_of
from credit.requests.private_arguments import remove_private_arguments, write_private_arguments
from credit.requests.progress import read_broken, read_private_result, read_progress
from credit.requests.request import CANCELLED, CONFIRMED, MADE, Stage
from credit.requests.request_states import RequestState, confirmation_of
from credit.requests.state_reader import StateReader, ledger_path
from infra.desk.settings import DeskSettings

RolesOf = Callable[[str], Sequence[Role]]
DESK = Actor("desk", Role.SERVICE)  # ends requests whose maker may not make them any more
LARGEST = 256 * 1024  # bytes of the arguments of one request


@dataclass(slots=True)
class Register:
    """The requests of a lab; made by :meth:`open`. ``confirm`` are the verbs that a second person confirms."""

    settings: DeskSettings
    ledger: Ledger
    reader: StateReader
    roles_of: RolesOf
    confirm: frozenset[str] = frozenset()
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, settings: DeskSettings, roles_of: RolesOf) -> Register:
        """Load the desk's key. ``roles_of`` gives the roles of an account now."""
        confirm = frozenset(each.strip() for each in settings.confirm.split(",") if each.strip())
        if unknown := sorted(confirm - set(FLOWS)):
            raise Malformed("flows.no-such-verb", verb=", ".join(unknown))
        ring, key = KeyRing.load(settings.ring), SigningKey.load(settings.keys, "desk")
        checkpoint = FoldCheckpoint(settings.requests / ".states", key, ring)
        reader = StateReader.open("desk", settings.ledgers, ring, checkpoint)
        return cls(
            settings, Ledger(ledger_path(settings.ledgers, "desk"), key, ring, "desk"), reader, roles_of, confirm
        )

    def make(
        self, verb: str, arguments: Mapping[str, Any], *, by: Actor, factor: str, today: date | None
    ) -> RequestState:
        """Write a request down; the same request of the same person that has not ended is returned again.

        Raises :class:`Malformed` for an unknown verb or too large arguments, :class:`Refused` for a wrong role.
        """
        flow = flow_of(verb)
        by.require_role(*flow.roles, act=flow.act)
        try:
            size = len(canonical(arguments))
        except ValueError as error:  # a number that is none, or half a character
            raise Malformed("server.not-a-request") from error
        if size > LARGEST:
            raise Malformed("register.too-large", largest=LARGEST)
        open_arguments = {name: value for name, value in arguments.items() if name not in flow.private}
        private = {name: value for name, value in arguments.items() if name in flow.private}
        with self._lock:
            if by.role not in self.roles_of(by.name):  # the account may have changed since the person was named
                raise Refused("register.has-not-role-now", name=by.name, role=by.role)
            self.catch_up()
            if (same := self._unfinished(verb, open_arguments, private, by)) is not None:
                return same
            request_id = f"request-{secrets.token_hex(16)}"
            details = {
                "verb": verb,
                "arguments": open_arguments,
                "private": write_private_arguments(self.settings.requests, request_id, private),
                "confirm": verb in self.confirm,
                "factor": factor,
                "deadline": (datetime.now(UTC) + timedelta(seconds=flow.seconds)).isoformat(timespec="seconds"),
                "today": today.isoformat() if today else "",
            }
            self.ledger.append(MADE, request_id, by=by, details=details)
            self.catch_up()
        return self.get(request_id)

    def confirm_request(self, request_id: str, *, by: Actor, factor: str) -> RequestState:
        """Confirm a request as a second person; raises :class:`Refused` for its maker, or when none is needed."""
        with self._lock:
            state = self.get(request_id)
            if state.stage is not Stage.UNCONFIRMED:
                raise Refused("register.nothing-to-confirm")
            after_move(
                confirmation_of(state.request),
                Move.CONFIRM,
                request_id,
                by=by,
                at=datetime.now(UTC),
                details={},
                objection=self._objection,
            )
            self.ledger.append(CONFIRMED, request_id, by=by, details={"factor": factor})
            self.catch_up()
        return self.get(request_id)

    def _objection(self, confirmation: Confirmation, person: Actor, moment: datetime) -> Text | None:
        """The person who requested or confirms a request must still have the role."""
        if person.role in self.roles_of(person.name):
            return None
        return Text.of("register.has-not-role-now", name=person.name, role=person.role)

    def cancel(self, request_id: str, *, by: Actor) -> RequestState:
        """Cancel a request that has not ended: its maker, or a person with a role that may make it.

        Raises :class:`Refused`.
        """
        with self._lock:
            state = self.get(request_id)
            if by.name != state.request.by.name:
                by.require_role(*state.request.flow.roles, act=Text.of("act.cancel-request"))
            if state.ended:
                raise Refused("register.ended-already", stage=str(state.stage))
            self.ledger.append(CANCELLED, request_id, by=by)
            self.catch_up()
        return self.get(request_id)

    @contextmanager
    def unchanging(self) -> Iterator[None]:
        """While the block runs, no request is made, confirmed or cancelled: for a change of the accounts."""
        with self._lock:
            yield

    def endings(self, roles_of: RolesOf) -> list[Act]:
        """The entries that cancel every request whose maker has no longer the role in which they made it.

        They are written with the change of the account, within :meth:`unchanging`.
        """
        self.catch_up()
        return [
            (CANCELLED, state.request.id, DESK, {"why": "no-role-now", "account": state.request.by.name})
            for state in self.reader.states.all()
            if not state.ended and state.request.by.role not in roles_of(state.request.by.name)
        ]

    def get(self, request_id: str) -> RequestState:
        """The state of a request; raises :class:`Missing`."""
        self.catch_up()
        state = self.reader.find(request_id)
        if state is None:
            raise Missing("register.no-request", id=request_id[:20])
        return state

    def forget_ended(self) -> None:
        """Remove the private arguments of every request that has ended, was cancelled or is past its deadline.

        Also those of a request that was never written down, since the desk was killed in between.
        """
        now = datetime.now(UTC)
        with self._lock:  # so that no request is just being written down
            if ended := self.endings(self.roles_of):  # written with the change, unless another program changed accounts
                self.ledger.append_many(ended)
                self.catch_up()
            for path in self.settings.requests.glob("request-*.json"):
                state = self.reader.states.get(path.stem)
                if state is None or state.ended or now > state.request.deadline:
                    remove_private_arguments(self.settings.requests, path.stem)

    def catch_up(self) -> None:
        """Read what is new in the ledgers."""
        self.reader.catch_up()

    def describe(self, state: RequestState) -> dict[str, Any]:
        """A state as the desk answers with it. ``mark`` changes whenever anything in it does."""
        progress = read_progress(self._runs(state.zone), state.request.id) if state.zone else {}
        shown: dict[str, Any] = {
            "id": state.request.id,
            "verb": state.request.verb,
            "arguments": dict(state.request.arguments),
            "by": str(state.request.by),
            "at": state.request.at.isoformat(timespec="seconds"),
            "deadline": state.request.deadline.isoformat(timespec="seconds"),
            "stage": state.stage,
            "zone": state.zone,
            "step": state.step,
            "steps": list(state.request.flow.zones),
            "results": [dict(each) for each in state.results],
            "failure": dict(state.failure) if state.failure else None,
            "confirmed_by": str(state.confirmed_by) if state.confirmed_by else "",
            "progress": progress,
            "broken": read_broken(self._runs(state.zone), state.request.id) if state.zone else {},
        }
        return shown | {"mark": digest(canonical(shown))[:16]}

    def private_result(self, state: RequestState) -> dict[str, Any]:
        """The private results of a request that is done; for the person who made it alone."""
        result: dict[str, Any] = {}
        for zone in dict.fromkeys(state.request.flow.zones):
            result |= read_private_result(self._runs(zone), state.request.id)
        return result

    def _runs(self, zone: str) -> Path:
        return self.settings.runs / zone

    def _unfinished(
        self, verb: str, arguments: Mapping[str, Any], private: dict[str, Any], by: Actor
    ) -> RequestState | None:
        mark = digest(canonical(private)) if private else ""
        for state in self.reader.states.all():
            request, unended = state.request, not state.ended
            same = request.verb == verb and request.arguments == dict(arguments) and request.private == mark
            if unended and same and request.by == by and datetime.now(UTC) < request.deadline:
                return state
        return None
