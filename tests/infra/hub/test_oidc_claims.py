"""A sign-in at an identity provider counts for an account that exists, in its groups, with the factor that was used."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit.actor import Role
from credit.errors import Refused
from infra.hub.oidc_claims import OidcSignIn

CLAIMS = {
    "preferred_username": "petra",
    "auth_time": 1_790_000_000,
    "amr": ["pwd", "otp"],
    "groups": ["haihe-platform", "staff"],
}


def sign_in(**changed: Any) -> OidcSignIn:
    claims = {name: value for name, value in (CLAIMS | changed).items() if value is not None}
    return OidcSignIn.of(claims, name_claim="preferred_username", groups_claim="groups")


def test_name_moment_and_factor_are_those_of_the_token() -> None:
    """The moment is the provider's, not that of the redirect."""
    seen = sign_in()
    seen.require((Role.PLATFORM,), group_prefix="haihe-")
    assert (seen.name, seen.factor, seen.at.timestamp()) == ("petra", "oidc", 1_790_000_000)


@pytest.mark.parametrize("amr", [None, [], ["pwd"], "mfa", {"mfa": 1}, [["mfa"]], ["MFA"]])
def test_one_factor_is_a_password_and_not_enough_for_those_who_judge(amr: Any) -> None:
    """Without a second factor in ``amr`` it was one factor; a researcher may sign in so, a reviewer may not."""
    seen = sign_in(amr=amr, groups=["haihe-researcher", "haihe-reviewer", "haihe-platform"])
    assert seen.factor == "password"
    seen.require((Role.RESEARCHER,), group_prefix="haihe-")
    for role in (Role.REVIEWER, Role.PLATFORM):
        with pytest.raises(Refused, match="second factor"):
            seen.require((role,), group_prefix="haihe-")


def test_an_account_has_to_exist_and_every_role_of_it_needs_its_group() -> None:
    """The provider gives no role, and can take one away: a group that ended ends the sign-in."""
    with pytest.raises(Refused, match="no account"):
        sign_in().require((), group_prefix="haihe-")
    for groups in (None, [], ["platform"], ["haihe-researcher"], "haihe-platform"):
        with pytest.raises(Refused, match="does not list you"):
            sign_in(groups=groups).require((Role.PLATFORM,), group_prefix="haihe-")


@pytest.mark.parametrize("changed", [{"preferred_username": None}, {"preferred_username": ""}, {"auth_time": None},
                                     {"preferred_username": 7}, {"auth_time": "now"}, {"auth_time": True}])  # fmt: skip
def test_a_token_without_who_or_when_is_refused(changed: dict[str, Any]) -> None:
    """Absence is not innocence: without the moment a sign-in could be of any day."""
    with pytest.raises(Refused):
        sign_in(**changed)


@given(st.dictionaries(st.sampled_from([*CLAIMS, "sub"]), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_no_claims_give_a_role(claims: dict[str, Any]) -> None:
    """Whatever a token says, a name without an account signs in with nothing."""
    with pytest.raises(Refused):
        OidcSignIn.of(claims, name_claim="preferred_username", groups_claim="groups").require((), group_prefix="haihe-")
