"""What the service keeps of applications, subjects' keys and their pages is the same on both engines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from credit.errors import Malformed
from credit.messages import Text
from serving.auth.access_database import AccessDatabase
from serving.mandates.application_store import ApplicationStore, Draft
from serving.mandates.rules import ApplicationState
from serving.mandates.subject_sessions import SubjectSessions

FIRST = Draft("application-1", "bohai", "ab" * 16, "credit_granting", "2027-01-31", "consent", "00", "",
              time.time() + 60, "application/jose", b"\x00\xff", "jti-1")  # fmt: skip


@pytest.fixture
def access(place: Path | str) -> Iterator[AccessDatabase]:
    access = AccessDatabase(place)
    yield access
    access.close()


def test_an_application_is_kept_through_its_states_and_its_document_until_it_is_refused(access: AccessDatabase) -> None:
    store = ApplicationStore(access.store)
    second = replace(FIRST, id="application-2", batch="b", jti="", content=b"")
    assert store.in_one(lambda one: [one.draft(FIRST), one.draft(FIRST), one.draft(second)]) == [True] * 3
    assert store.document(FIRST.id) == ("application/jose", b"\x00\xff")
    store.record(FIRST.id, ApplicationState.WAITING, "e", 3)
    store.move(FIRST.id, ApplicationState.REFUSED, why=Text.verbatim("不同意"))
    kept = store.application(FIRST.id)
    assert kept is not None
    assert (kept.state, kept.seq, kept.reason("zh")) == (ApplicationState.REFUSED, 3, "不同意")
    assert store.document(FIRST.id) is None
    first, last = (store.application(name) for name in (FIRST.id, second.id))
    assert first is not None
    assert last is not None
    assert first.number < last.number
    assert [each.id for each in store.page("bohai", list(ApplicationState), before=1 << 60, limit=9)] == [
        second.id, FIRST.id,
    ]  # fmt: skip
    assert not store.draft(replace(FIRST, id="application-3"))  # its consent is used
    assert store.application("application-3") is None
    assert store.open_of("bohai") == 1
    assert [each.id for each in store.unnotified()] == [FIRST.id]


def test_what_is_done_with_the_clients_is_done_together_or_not_at_all(access: AccessDatabase) -> None:
    store, before = ApplicationStore(access.store), access.generation()
    store.draft(FIRST)

    def fails(within: AccessDatabase) -> None:
        within.add_client("bohai")
        store.together_with(within).move(FIRST.id, ApplicationState.GRANTED, mandate="mandate-1")
        raise Malformed("mandate-applications.until", first="", last="")

    with pytest.raises(Malformed):
        access.in_one(fails)
    kept = store.application(FIRST.id)
    assert kept is not None
    assert kept.state is ApplicationState.DRAFT
    assert access.client("bohai") is None
    assert access.generation() == before
    with pytest.raises(AssertionError):
        store.together_with(access)


def test_a_link_opens_once_and_a_session_until_it_is_ended(access: AccessDatabase) -> None:
    sessions = SubjectSessions(access.store)
    token = sessions.make_link("ab" * 16, "91120116MA05TEST0X")
    assert sessions.use_link(token) == ("ab" * 16, "91120116MA05TEST0X")
    assert sessions.use_link(token) is sessions.use_link("other") is None
    opened = sessions.begin("ab" * 16, "91120116MA05TEST0X")
    session = sessions.session(opened)
    assert session is not None
    assert session.uscc == "91120116MA05TEST0X"
    sessions.end(opened)
    assert sessions.session(opened) is None


@pytest.mark.attack
def test_a_value_that_no_column_holds_is_refused_and_no_fault(access: AccessDatabase) -> None:
    store = ApplicationStore(access.store)
    with pytest.raises(Malformed):
        store.page("\ud800", ["waiting"], before=1, limit=1)
    with pytest.raises(Malformed):
        store.draft(replace(FIRST, batch="\ud800"))
    assert store.draft(FIRST)


@pytest.mark.attack
def test_a_text_with_a_nul_finds_nothing_or_is_refused(access: AccessDatabase) -> None:
    with suppress(Malformed):
        assert ApplicationStore(access.store).application("application-\0") is None
