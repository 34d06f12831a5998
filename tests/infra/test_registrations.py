"""The platform registers what a notebook requests, as its person, once; and enters why it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Entry, Ledger
from credit.registrations import REFUSED, REQUEST, registration_of
from credit.seal import Kind
from credit.separation.involvement import PeopleHistory
from credit.shelf import Shelf
from infra.agents.registrations import NotebookRegistrations
from models.registry.mlflow_registry import Registry
from tests.credit.separation.account_changes import AccountsSince

pytestmark = pytest.mark.servers
ALICE, EVE, OPS = Actor("alice", Role.RESEARCHER), Actor("eve", Role.RESEARCHER), Actor("ops", Role.PLATFORM)
MODEL = "registered_in_a_test"


@pytest.fixture
def research(tmp_path: Path, keys: dict[str, SigningKey], ring: KeyRing) -> Ledger:
    ledger = Ledger(tmp_path / "research.jsonl", keys["research"], ring, "research")
    ledger.append("project.members", "project-loans", by=OPS, details={"members": ["alice"]})
    ledger.append("project.members", "project-fines", by=OPS, details={"members": ["eve"]})
    return ledger


@pytest.fixture
def accounts() -> AccountsSince:
    return AccountsSince({"alice": Role.RESEARCHER, "eve": Role.RESEARCHER})


@pytest.fixture
def registrations(
    tmp_path: Path, shelf: Shelf, keys: dict[str, SigningKey], ring: KeyRing, research: Ledger,
    accounts: AccountsSince, mlflow_server: str,
) -> NotebookRegistrations:  # fmt: skip
    ledger = Ledger(tmp_path / "platform.jsonl", keys["platform"], ring, "platform")

    def people() -> PeopleHistory:
        return PeopleHistory.of(research.entries(), accounts)

    return NotebookRegistrations(shelf, ledger, research, people, lambda: Registry(mlflow_server), mlflow_server)


def put(shelf: Shelf, kind: Kind, parents: tuple[str, ...], key: SigningKey, **terms: Any) -> str:
    with shelf.staging() as folder:
        (folder / "text.txt").write_text(f"{kind} {datetime.now(UTC)}")
        made: dict[str, Any] = {"parents": parents, "terms": terms, "expires_on": date(2031, 1, 1)}
        return shelf.put(folder, kind, by=ALICE, key=key, **made).id


@pytest.fixture
def version(shelf: Shelf, keys: dict[str, SigningKey], research: Ledger, mlflow_server: str) -> str:
    """A version of an order that the project on loans placed, as it was logged when it was trained."""
    order = put(shelf, Kind.ORDER, (), keys["research"], model=MODEL)
    research.append("training.asked", order, by=ALICE, details={"project": "loans", "model": MODEL})
    made = put(shelf, Kind.VERSION, (order,), keys["compute"], model=MODEL, usage=["可用于信用评价"])
    Registry(mlflow_server).log_run(MODEL, params={}, metrics={}, tags={"seal": made})
    return made


def place(research: Ledger, version: str, by: Actor = ALICE, project: str = "loans") -> Entry:
    return research.append(REQUEST, version, by=by, details={"project": project, "note": "for young firms"})


def state(registrations: NotebookRegistrations, version: str) -> str:
    ledgers = registrations.research.about(version), registrations.ledger.about(version)
    return registration_of(version, *ledgers, "").state


def test_a_version_is_registered_as_the_person_who_made_the_request(
    registrations: NotebookRegistrations, research: Ledger, version: str
) -> None:
    """With the note; the same request again, as after a restart, changes nothing."""
    request = place(research, version)
    for _ in range(2):
        registrations.register(request)
    (entry,) = registrations.ledger.about(version)
    assert (entry.verb, entry.by, entry.details["note"]) == ("promotion.asked", ALICE, "for young firms")
    assert registrations.registry().version_number(MODEL, version) is not None
    assert state(registrations, version) == "requested"


@pytest.mark.attack
@pytest.mark.parametrize("case", ["another project", "another's project", "no member", "no role", "no version"])
def test_a_request_past_the_gateway_is_refused_with_a_reason(
    registrations: NotebookRegistrations, research: Ledger, accounts: AccountsSince, version: str, case: str
) -> None:
    """Whatever the research zone writes: of another project, by people who left, or about what is no version."""
    request = {
        "another project": lambda: place(research, version, EVE, "fines"),
        "another's project": lambda: place(research, version, EVE, "loans"),
        "no member": lambda: place(research, version, Actor("bo", Role.RESEARCHER)),
        "no role": lambda: place(research, version, Actor("alice", Role.PLATFORM)),
        "no version": lambda: place(research, registrations.shelf.open(version).seal.parents[0]),
    }[case]()
    registrations.register(request)
    (entry,) = registrations.ledger.about(request.object)
    assert (entry.verb, entry.details["request"]) == (REFUSED, request.id)
    assert entry.details["messages"]
    assert state(registrations, request.object) == "not_registered"


@pytest.mark.attack
def test_the_request_of_a_person_who_lost_the_role_registers_nothing(
    registrations: NotebookRegistrations, research: Ledger, accounts: AccountsSince, version: str
) -> None:
    request = place(research, version)
    accounts.change("alice")
    accounts.change("alice", Role.RESEARCHER)
    registrations.register(request)
    assert [entry.verb for entry in registrations.ledger.about(version)] == [REFUSED]
