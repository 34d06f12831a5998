"""The front desk believes the tokens that a real hub issued to the command line and the console, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from credit.errors import Unauthenticated
from infra.desk.hub_tokens import CACHE_SECONDS, HubSilent, HubTokens
from tests.infra.running_hub import RunningHub, xsrf_of

pytestmark = pytest.mark.servers
UID = 1001


class Clock:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(running_hub: RunningHub, clock: Clock) -> Iterator[HubTokens]:
    made = HubTokens(running_hub.socket_api, clock, clock.now)
    yield made
    made.close()


def test_a_token_of_the_command_line_is_its_user(running_hub: RunningHub, tokens: HubTokens) -> None:
    """Account, factor and moment are those of the sign-in in the token's session."""
    user = tokens.user_of(running_hub.token("petra"), UID)
    assert user.account == "petra"
    assert user.factor in ("totp", "recovery")
    assert timedelta(0) <= datetime.now(UTC) - user.signed_in_at < timedelta(minutes=1)
    assert timedelta(minutes=59) < user.until - datetime.now(UTC) <= timedelta(hours=1)


def test_a_token_of_the_command_line_is_one_operating_system_users(running_hub: RunningHub, tokens: HubTokens) -> None:
    """Read from the file of the user who logged in, it is worth nothing to another uid, root included."""
    token = running_hub.token("petra")
    tokens.user_of(token, UID)
    for other in (0, UID + 1):
        with pytest.raises(Unauthenticated, match="another operating-system user"):
            tokens.user_of(token, other)
    assert tokens.user_of(token, UID).account == "petra"


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "ü", "a b\r\nX: y", "0" * 30])
def test_what_is_no_token_is_refused(tokens: HubTokens, token: str) -> None:
    """Unknown and malformed tokens are refused, and what is no text of one does not reach the hub."""
    with pytest.raises(Unauthenticated):
        tokens.user_of(token, UID)


@pytest.mark.parametrize("scopes", [None, ["access:services!service=haihe-cli", "read:users:name!user=petra"]])
def test_a_token_that_a_user_made_is_refused(
    running_hub: RunningHub, tokens: HubTokens, scopes: list[str] | None
) -> None:
    """A token from the hub's own page, even one with the very scopes of the command line, was issued to no client."""
    browser = running_hub.sign_in("petra")
    headers = {"X-XSRFToken": xsrf_of(browser), "Referer": f"{running_hub.address}/hub/token"}
    made = browser.post(f"{running_hub.api}/users/petra/tokens", json={"scopes": scopes}, headers=headers)
    assert made.status_code == 201, made.text
    with pytest.raises(Unauthenticated, match="not for the front desk"):
        tokens.user_of(made.json()["token"], UID)


def test_a_revoked_token_is_refused_within_ten_seconds(
    running_hub: RunningHub, tokens: HubTokens, clock: Clock
) -> None:
    """An answer is cached for ten seconds and no longer; a removed account's token is refused in the same time."""
    token = running_hub.token("petra")
    tokens.user_of(token, UID)
    running_hub.call("sign-in", token, "DELETE")
    clock.seconds += CACHE_SECONDS
    with pytest.raises(Unauthenticated):
        tokens.user_of(token, UID)


def test_an_expired_token_is_refused_also_while_it_is_cached(
    running_hub: RunningHub, tokens: HubTokens, clock: Clock
) -> None:
    """The end of a token is its end, whatever was cached before."""
    token = running_hub.token("petra")
    until = tokens.user_of(token, UID).until
    tokens.monotonic = lambda: 0.0
    clock.seconds = (until - datetime.now(UTC)).total_seconds() + 1
    with pytest.raises(Unauthenticated):
        tokens.user_of(token, UID)


def test_a_session_without_a_sign_in_is_refused(running_hub: RunningHub, tokens: HubTokens) -> None:
    """How its user signed in must be known: absence is not innocence."""
    token = running_hub.token("rita")
    (running_hub.home.root / "lab" / "sign-ins.sqlite").rename(running_hub.home.root / "lab" / "away")
    try:
        with pytest.raises(Unauthenticated, match="How you signed in is not known"):
            tokens.user_of(token, UID)
    finally:
        (running_hub.home.root / "lab" / "away").replace(running_hub.home.root / "lab" / "sign-ins.sqlite")


def test_a_silent_hub_is_an_error_of_its_own() -> None:
    """A hub that does not answer makes no person, and the refusal says that it is the hub."""
    tokens = HubTokens("http://127.0.0.1:9/hub/api")
    with pytest.raises(HubSilent):
        tokens.user_of("a" * 30, UID)
    tokens.close()
