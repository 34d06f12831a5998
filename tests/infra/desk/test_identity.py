"""A person at the front desk is who signed in: by a token, or by the operating-system user that the kernel names."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Role
from credit.errors import Malformed, Refused, Unauthenticated
from infra.desk.identity import Identities, Means, PeerCredentials, SignedIn, TokenUser

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROLES = {"petra": (Role.PLATFORM,), "alice": (Role.RESEARCHER,), "carl": (Role.CITY, Role.PLATFORM)}
ROOT, ALICE, UNMAPPED = (PeerCredentials(1, uid, uid) for uid in (0, 1001, 1002))


class Tokens:
    """Knows one token; like the hub, it answers for that alone."""

    def user_of(self, token: str, uid: int) -> TokenUser:
        if token != "petras":
            raise Unauthenticated("hub-tokens.not-known")
        return TokenUser("petra", "totp", NOW, NOW + timedelta(hours=1))


def identities(*, invented: bool = False, roles: dict[str, tuple[Role, ...]] | None = None) -> Identities:
    known = ROLES if roles is None else roles
    return Identities(lambda name: known.get(name, ()), lambda: {1001: "alice"}, lambda: invented, Tokens())


def test_the_kernel_names_the_process_at_the_other_end() -> None:
    """The credentials of a connection are those of the process that connected."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert PeerCredentials.of(ours) == PeerCredentials(os.getpid(), os.getuid(), os.getgid())


def test_a_token_decides_before_the_operating_system_user() -> None:
    """Who presents a token is its owner, whatever their uid; a refused token is not followed by a second try."""
    for peer in (ROOT, ALICE, UNMAPPED):
        signed_in = identities().identify(peer, "token petras")
        assert (signed_in.account, signed_in.factor, signed_in.means) == ("petra", "totp", Means.TOKEN)
        for wrong in ("token stolen", "Bearer x", "Basic petras", "petras", "token ", "token"):
            with pytest.raises(Unauthenticated):
                identities().identify(peer, wrong)


def test_the_operating_system_user_is_an_account_of_the_table() -> None:
    """Without a token the kernel's uid counts, and it is no second factor."""
    signed_in = identities().identify(ALICE)
    assert (signed_in.account, signed_in.factor, signed_in.signed_in_at) == ("alice", "peer", None)


def test_root_and_unmapped_users_are_refused_with_what_to_do_next() -> None:
    """Uid 0 alone is no person, also when a table names it, and a uid that no account has is none."""
    mapped = Identities(lambda name: ROLES.get(name, ()), lambda: {0: "petra"}, lambda: True, None)
    for who, at in ((ROOT, mapped), (ROOT, identities()), (UNMAPPED, identities())):
        with pytest.raises(Unauthenticated) as refused:
            at.identify(who)
        assert "haihe login" in refused.value.remedy


def test_by_is_believed_in_an_invented_home_alone() -> None:
    """In any other home ``--by`` is refused, also beside a token and from a known user, and also for the same name."""
    for peer in (ROOT, ALICE, UNMAPPED):
        for authorization in ("", "token petras"):
            with pytest.raises(Refused, match="exists in an invented home alone"):
                identities().identify(peer, authorization, "platform:petra")
            signed_in = identities(invented=True).identify(peer, authorization, "platform:petra")
            assert (signed_in.factor, signed_in.means) == ("invented", Means.INVENTED)


@pytest.mark.parametrize("by", ["platform:nobody", "platform:alice", "reviewer:petra"])
def test_by_names_an_account_that_exists_with_that_role(by: str) -> None:
    """``--by`` cannot make a person up, nor give one a role."""
    with pytest.raises(Refused):
        identities(invented=True).identify(ALICE, by=by)
    with pytest.raises(Malformed):
        identities(invented=True).identify(ALICE, by="petra")


def test_a_removed_account_is_refused_at_once() -> None:
    """Roles are those of this moment: a token or a uid of an account that was removed is nothing."""
    removed = identities(invented=True, roles={})
    for peer, authorization, by in ((ALICE, "", ""), (ROOT, "token petras", ""), (ROOT, "", "platform:petra")):
        with pytest.raises(Refused):
            removed.identify(peer, authorization, by)


def test_a_person_acts_in_the_role_that_the_verb_needs() -> None:
    """The first permitted role that the account has; a role that ``--by`` names is the only one; else a refusal."""
    carl = SignedIn("carl", ROLES["carl"], "totp", Means.TOKEN)
    assert str(carl.actor((Role.PLATFORM, Role.CITY), act="act.make-release")) == "platform:carl"
    assert str(carl.actor((Role.CITY, Role.PLATFORM), act="act.make-release")) == "city:carl"
    wanting = SignedIn("carl", ROLES["carl"], "invented", Means.INVENTED, wanted=Role.CITY)
    assert str(wanting.actor((Role.PLATFORM, Role.CITY), act="act.make-release")) == "city:carl"
    for person in (wanting, SignedIn("alice", ROLES["alice"], "totp", Means.TOKEN)):
        with pytest.raises(Refused):
            person.actor((Role.PLATFORM,), act="act.make-release")


@given(st.text(), st.text(), st.integers(0, 2**32 - 1))
def test_whatever_is_sent_names_only_people_who_exist(authorization: str, by: str, uid: int) -> None:
    """No header and no flag makes a person of an unknown process, and in a real home no flag at all does."""
    try:
        signed_in = identities().identify(PeerCredentials(1, uid, uid), authorization, by)
    except (Refused, Malformed):
        return
    assert not by
    assert (signed_in.account, uid) == ("alice", 1001) or authorization.partition(" ")[2].strip() == "petras"
