"""A person signs in at a real hub: password, second factor, recovery codes; and lands where they work."""

from __future__ import annotations

import pytest

from tests.infra.hub.sign_in_hub import PASSWORD, PAVEL, PETRA, Person, SignInHub

pytestmark = pytest.mark.servers


def test_who_judges_signs_in_with_a_second_factor(hub: SignInHub) -> None:
    """After the password alone the hub knows no one; after the code it does."""
    rita = hub.person("rita", "reviewer")
    page = rita.give_password()
    assert "/hub/second-factor" in str(page.url)
    assert not rita.is_signed_in()
    rita.post(page, code=rita.code())
    assert rita.is_signed_in()


def test_a_researcher_may_go_without_a_second_factor(hub: SignInHub) -> None:
    """And signs in by the password; one who has a second factor needs it."""
    token, _ = hub.link("alice", "researcher")
    alice = Person(hub, "alice")
    page = alice.browser.get("/hub/enrol", params={"key": token})
    page = alice.post(page, "/hub/enrol", link=token, password=PASSWORD, again=PASSWORD)
    page = alice.post(page, "/hub/enrol/factor", without="yes")
    assert page.status_code == 200
    alice.give_password()
    assert alice.is_signed_in()
    bobby = hub.person("bobby", "researcher")
    bobby.give_password()
    assert not bobby.is_signed_in()
    bobby.sign_in()
    assert bobby.is_signed_in()


def test_who_judges_cannot_go_without_a_second_factor(hub: SignInHub) -> None:
    """The form of a researcher's page, sent by a reviewer, sets up nothing."""
    token, code = hub.link("remy", "reviewer")
    remy = Person(hub, "remy")
    page = remy.browser.get("/hub/enrol", params={"key": token})
    page = remy.post(page, "/hub/enrol", link=token, code=code, password=PASSWORD, again=PASSWORD)
    assert "without" not in page.text
    assert remy.post(page, "/hub/enrol/factor", without="yes").status_code == 403
    remy.give_password()
    assert not remy.is_signed_in()


def test_a_recovery_code_signs_in_once(hub: SignInHub) -> None:
    """However it is typed; the second time it is refused."""
    carl = hub.person("carl", "reviewer")
    assert len(set(carl.recovery_codes)) == 10
    carl.new_browser()
    carl.sign_in(code=carl.recovery_codes[0].lower().replace("-", " "))
    assert carl.is_signed_in()
    carl.new_browser()
    assert carl.sign_in(code=carl.recovery_codes[0]).status_code == 403
    assert not carl.is_signed_in()


def test_the_platform_lands_in_the_console(hub: SignInHub) -> None:
    """And a researcher at the start of a workspace; a page in the address comes first."""
    pia = hub.person("pia", "platform")
    pia.browser.follow_redirects = True
    page = pia.sign_in()
    assert "/services/console/" in str(page.url)
    rosa = hub.person("rosa", "researcher")
    assert "/spawn" in str(rosa.sign_in().url)


def test_a_bare_address_leads_to_the_name(hub: SignInHub) -> None:
    """No browser makes a passkey for 127.0.0.1."""
    import httpx

    answer = httpx.get(hub.url.replace("localhost", "127.0.0.1") + "/hub/login?next=%2Fhub%2Fhome")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{hub.url}/hub/login?next=%2Fhub%2Fhome"


@pytest.mark.parametrize(
    ("language", "words", "others"),
    [("zh-CN,zh;q=0.9", ("第二因素", "验证码", "恢复码"), "Second factor"),
     ("en", ("Second factor", "Code", "recovery code"), "第二因素")],
)  # fmt: skip
def test_the_pages_are_in_the_language_of_the_browser(
    hub: SignInHub, language: str, words: tuple[str, ...], others: str
) -> None:
    """Enrolment and second factor, in Chinese and in English."""
    name = "lin" + language[:2]
    lin = Person(hub, name, language)
    token, code = hub.link(name, "reviewer")
    page = lin.browser.get("/hub/enrol", params={"key": token})
    assert ("启用账户" in page.text) == language.startswith("zh")
    assert lin.enrol(token, code).status_code == 200
    page = lin.give_password()
    assert all(word in page.text for word in words), page.text
    assert others not in page.text


def test_a_reset_ends_sessions_and_credentials(hub: SignInHub) -> None:
    """From the confirmation on; the new link sets up the account again."""
    gina = hub.person("gina", "reviewer")
    gina.sign_in()
    assert gina.is_signed_in()
    requested = hub.changes.request_reset("gina", by=PETRA)
    code = hub.changes.confirm(requested.change, by=PAVEL).code
    assert _ends(gina)
    gina.new_browser()
    assert gina.give_password().status_code == 403
    assert gina.enrol(requested.token, code, "another horse battery").status_code == 200
    gina.sign_in("another horse battery")
    assert gina.is_signed_in()


def _ends(person: Person) -> bool:
    """True when the hub forgets the person soon."""
    import time

    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not person.is_signed_in():
            return True
    return False
