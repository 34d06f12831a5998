"""A passkey as the second factor, in a real browser with Chromium's virtual authenticator (WebAuthn over CDP)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.infra.hub.sign_in_hub import PASSWORD, SignInHub

pytestmark = pytest.mark.servers
OPTIONS = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Device:
    """A browser profile with an authenticator of its own."""

    def __init__(self, chromium: Browser, hub: SignInHub) -> None:
        self.hub, self.context = hub, chromium.new_context(locale="en")
        self.page: Page = self.context.new_page()
        self.cdp = self.context.new_cdp_session(self.page)
        self.cdp.send("WebAuthn.enable")
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]

    def credentials(self) -> list[dict[str, object]]:
        return list(self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"])

    def enrol(self, token: str, code: str) -> None:
        """Set up an account with a passkey."""
        self.page.goto(f"{self.hub.url}/hub/enrol?key={token}")
        if code:
            self.page.fill("#code_input", code)
        self.page.fill("#password_input", PASSWORD)
        self.page.fill("#again_input", PASSWORD)
        self.page.click("#enrol_submit")
        self.page.click("#passkey_button")
        self.page.wait_for_url("**/hub/enrol/done")

    def give_password(self, name: str) -> None:
        self.page.goto(f"{self.hub.url}/hub/login")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", PASSWORD)
        self.page.press("#password_input", "Enter")
        self.page.wait_for_url("**/hub/second-factor**")

    def is_signed_in(self) -> bool:
        return bool(self.page.request.get(f"{self.hub.url}/hub/api/user").ok)


def test_a_passkey_is_the_second_factor(hub: SignInHub, chromium: Browser) -> None:
    """Made at the enrolment, used at the sign-in; the recovery codes are shown once."""
    device = Device(chromium, hub)
    device.enrol(*hub.link("yara", "reviewer"))
    assert device.page.locator(".hh-codes li").count() == 10
    device.page.reload()
    assert device.page.locator(".hh-codes li").count() == 0
    factors = hub.store.second_factors(hub.accounts.get("yara"))
    assert (factors.totp, len(factors.passkeys), factors.recovery_codes) == (False, 1, 10)
    device.give_password("yara")
    assert not device.is_signed_in()
    device.page.click("#passkey_button")
    device.page.wait_for_url("**/services/console/**")
    assert device.is_signed_in()
    device.context.close()


@pytest.mark.attack
def test_a_passkey_of_another_account_is_refused(hub: SignInHub, chromium: Browser) -> None:
    """Neither offered by the browser nor taken when the page is made to ask for it."""
    one, other = Device(chromium, hub), Device(chromium, hub)
    one.enrol(*hub.link("zoe", "reviewer"))
    other.enrol(*hub.link("zara", "reviewer"))
    (passkey,) = hub.store.second_factors(hub.accounts.get("zara")).passkeys
    other.give_password("zoe")
    answer = other.page.evaluate(USE_ANOTHER, list(passkey.id))
    assert answer == 403
    assert not other.is_signed_in()
    one.context.close()
    other.context.close()


@pytest.mark.attack
def test_an_answer_of_a_passkey_counts_once(hub: SignInHub, chromium: Browser) -> None:
    """The same bytes, sent again in a new sign-in, are refused: each challenge is new."""
    device = Device(chromium, hub)
    device.enrol(*hub.link("yves", "reviewer"))
    device.give_password("yves")
    sent: list[str] = []
    device.page.on("request", lambda r: sent.append(r.post_data or "") if r.url.endswith("passkey?next=") else None)
    device.page.click("#passkey_button")
    device.page.wait_for_url("**/services/console/**")
    device.context.clear_cookies()
    device.give_password("yves")
    assert device.page.evaluate(SEND, sent[0]) == 403
    assert not device.is_signed_in()
    device.context.close()


def test_a_person_adds_names_and_removes_passkeys_and_keeps_the_last(hub: SignInHub, chromium: Browser) -> None:
    """Each is an entry; the last factor of a reviewer stays, also when the form is sent past the page."""
    device = Device(chromium, hub)
    device.enrol(*hub.link("willa", "reviewer"))
    device.give_password("willa")
    device.page.click("#passkey_button")
    device.page.wait_for_url("**/services/console/**")
    page = device.page
    page.goto(f"{hub.url}/hub/factors")
    (first,) = hub.store.second_factors(hub.accounts.get("willa")).passkeys
    assert page.get_by_text("Remove", exact=True).count() == 0
    assert page.evaluate(SEND_FORM, f"/hub/factors/passkeys/{first.id.hex()}/remove") == 403
    assert len(hub.store.second_factors(hub.accounts.get("willa")).passkeys) == 1
    page.reload()  # the refusal was a page too, with a challenge of its own
    device.cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": device.id})  # it holds the first
    device.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS | {"transport": "usb"}})
    page.click("#passkey_button")
    page.wait_for_url("**/hub/factors?done=added")
    page.locator("input[name=name]").first.fill("Key in the safe")
    page.get_by_text("Rename", exact=True).first.click()
    page.wait_for_url("**/hub/factors?done=renamed")
    assert page.locator("input[name=name]").first.input_value() == "Key in the safe"
    page.get_by_text("Remove", exact=True).last.click()
    page.wait_for_url("**/hub/factors?done=removed")
    assert len(hub.store.second_factors(hub.accounts.get("willa")).passkeys) == 1
    verbs = [each.verb for each in hub.home.ledger("desk").about("user-willa") if each.verb.startswith("factor.")]
    assert verbs == ["factor.enrolled", "factor.added", "factor.renamed", "factor.removed"]
    device.context.close()


SEND_FORM = """async (path) => (await fetch(path, {method: "POST", body: new URLSearchParams({
  _xsrf: document.querySelector("[name=_xsrf]").value})})).status"""
SEND = """async (body) => (await fetch("/hub/second-factor/passkey", {method: "POST", body, headers: {
  "Content-Type": "application/json", "X-XSRFToken": document.querySelector("[name=_xsrf]").value}})).status"""
USE_ANOTHER = """async (id) => {
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const bytes = (t) => Uint8Array.from(atob(t.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const asked = JSON.parse(document.getElementById("passkey_options").textContent);
  const made = await navigator.credentials.get({publicKey: {challenge: bytes(asked.challenge), rpId: asked.rpId,
    allowCredentials: [{type: "public-key", id: new Uint8Array(id)}]}});
  const response = {};
  for (const name of ["clientDataJSON", "authenticatorData", "signature"]) response[name] = text(made.response[name]);
  const body = JSON.stringify({id: made.id, rawId: text(made.rawId), type: made.type, response});
  return (await fetch("/hub/second-factor/passkey", {method: "POST", body, headers: {"Content-Type": "application/json",
    "X-XSRFToken": document.querySelector("[name=_xsrf]").value}})).status;
}"""
