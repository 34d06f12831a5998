"""Promoting, rolling back and giving roles need a sign-in of the last five minutes with a second factor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from credit.actor import Role
from infra.desk.identity import Means, SignedIn
from infra.desk.recent_sign_in import RecentSignInNeeded, require_recent

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def signed_in(factor: str, seconds: float | None, means: Means = Means.TOKEN) -> SignedIn:
    at = None if seconds is None else NOW - timedelta(seconds=seconds)
    return SignedIn("petra", (Role.PLATFORM,), factor, means, at)


@pytest.mark.parametrize("factor", ["totp", "passkey", "oidc"])
def test_a_recent_sign_in_with_a_second_factor_suffices(factor: str) -> None:
    """Five minutes long, and not one second more."""
    for seconds in (0, 299, 300):
        require_recent(signed_in(factor, seconds), NOW)
    for seconds in (301, 3600, None):
        with pytest.raises(RecentSignInNeeded):
            require_recent(signed_in(factor, seconds), NOW)


@pytest.mark.parametrize("factor", ["password", "recovery", "peer", "", "TOTP", "invented"])
def test_no_other_factor_counts(factor: str) -> None:
    """A password, a recovery code or the operating-system user is no second factor, however recent."""
    with pytest.raises(RecentSignInNeeded):
        require_recent(signed_in(factor, 0), NOW)


def test_a_clock_that_was_set_back_makes_no_sign_in_recent() -> None:
    """A sign-in of the future is refused: otherwise it would count until that moment has come."""
    require_recent(signed_in("totp", -2), NOW)
    for seconds in (-60, -86400):
        with pytest.raises(RecentSignInNeeded):
            require_recent(signed_in("totp", seconds), NOW)


def test_an_invented_home_is_believed_and_its_entry_names_the_factor() -> None:
    """``--by`` counts there, and the factor that the ledger gets is ``invented``."""
    person = signed_in("invented", None, Means.INVENTED)
    require_recent(person, NOW)
    assert person.factor == "invented"


def test_the_refusal_can_be_recognised_by_a_program() -> None:
    """The console leads through the hub's login again when it reads this type."""
    with pytest.raises(RecentSignInNeeded) as refused:
        require_recent(signed_in("totp", 400), NOW)
    assert refused.value.problem()["type"].endswith(":recent-sign-in-needed")
    assert refused.value.status == 401
