"""A hub whose people sign in at an identity provider: a real hub, and a provider that gives the claims that a test chose."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from credit.errors import Malformed, Missing
from infra import lab_services
from infra.home import Home
from infra.hub.oidc import OidcProvider
from infra.hub.sign_ins import SignIns
from infra.stack import free_port, running
from lab.accounts.account_changes import AccountChanges
from tests.infra.running_hub import RunningHub, follow

PETRA = {
    "preferred_username": "petra",
    "groups": ["haihe-platform"],
    "amr": ["pwd", "otp"],
    "auth_time": 1_790_000_000,
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider in a process of its own."""
    port, log = free_port(), tmp_path_factory.mktemp("provider") / "log"
    command, address = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)], f"http://localhost:{port}"
    described = f"{address}/.well-known/openid-configuration"
    with running(command, env={}, log=log, ready=described, name="The provider"):
        yield address


@pytest.fixture(scope="module")
def oidc_hub(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    home, port = Home(tmp_path_factory.mktemp("oidc") / "home"), free_port()
    home.ensure_keys()
    AccountChanges(home.ledger("desk", writing=True)).install(("petra", "paul"))
    secret = home.root / "oidc-secret"
    secret.write_text("not-a-secret")
    secret.chmod(0o600)
    env = {
        "HAIHE_HUB_OIDC_ISSUER": provider,
        "HAIHE_HUB_OIDC_CLIENT": "haihe",
        "HAIHE_HUB_OIDC_SECRET": str(secret),
        "HAIHE_HUB_OIDC_CALLBACK": f"http://localhost:{port}/hub/oauth_callback",
    }
    with lab_services.gateway(home), lab_services.hub(home, port, env=env) as address:
        hub = RunningHub(address, home, {})
        yield hub
        for client in hub.opened:
            client.close()


def signs_in(hub: RunningHub, provider: str, sub: str, claims: dict[str, Any]) -> httpx.Response:
    """The answer of the hub after ``sub`` signed in at the provider, which says ``claims``."""
    httpx.put(f"{provider}/users/{sub}", json=claims).raise_for_status()
    browser = hub.client()
    answer = browser.get(f"{hub.address}/hub/login")
    while answer.status_code in (301, 302, 303):
        location = str(answer.url.join(answer.headers["location"]))
        if location.startswith(provider):
            assert re.search(r"code_challenge_method=S256", location)
            assert "prompt=login" in location
            answer = browser.post(location, data={"sub": sub})
        else:
            if not location.startswith(f"{hub.address}/hub/oauth") and "/hub/login" not in location:
                return answer
            answer = browser.get(location)
    return answer


@pytest.mark.servers
def test_a_person_with_an_account_signs_in_with_the_factor_and_moment_of_the_provider(
    oidc_hub: RunningHub, provider: str
) -> None:
    """What is recorded is what the provider said, not when the browser came back."""
    answer = signs_in(oidc_hub, provider, "petra", PETRA)
    assert answer.status_code == 302, re.findall(r"identity provider[^<]*", answer.text)
    newest = SignIns(oidc_hub.home.root / "lab" / "sign-ins.sqlite").all("petra")[0]
    assert (newest.factor, newest.at.timestamp()) == ("oidc", 1_790_000_000)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"preferred_username": "mallory"}, "no account"),
        ({"groups": []}, "does not list you"),
        ({"amr": ["pwd"]}, "second factor"),
    ],
)
def test_everyone_else_is_refused_with_the_reason(
    oidc_hub: RunningHub, provider: str, changed: dict[str, Any], why: str
) -> None:
    """An unknown name, a missing group and a single factor of the platform team do not sign in."""
    answer = signs_in(oidc_hub, provider, "someone", PETRA | changed)
    assert answer.status_code == 403
    assert why in answer.text


@pytest.mark.servers
def test_there_is_no_local_password(oidc_hub: RunningHub) -> None:
    """With a provider the hub has no login form of its own, and a forged callback is refused."""
    browser = oidc_hub.client()
    assert browser.get(f"{oidc_hub.address}/hub/login").status_code == 302
    assert browser.get(f"{oidc_hub.address}/hub/factors").status_code == 302, "factors are changed at the provider"
    assert follow(browser, browser.get(f"{oidc_hub.address}/hub/oauth_callback?code=x&state=y")).status_code == 400


@pytest.mark.servers
def test_a_provider_is_the_one_of_its_description_and_reached_privately(provider: str) -> None:
    """Another issuer, an open network and a silent provider are refused in words when the hub starts."""
    assert OidcProvider.discovered(provider).keys_url.startswith(provider)
    for issuer in (f"{provider}/", "http://idp.example", "ftp://localhost"):
        with pytest.raises(Malformed):
            OidcProvider.discovered(issuer)
    with pytest.raises(Missing, match="does not answer"):
        OidcProvider.discovered("http://localhost:9")
