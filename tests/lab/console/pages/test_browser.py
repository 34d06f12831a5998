"""In a real browser every page works by keyboard, at two widths, in both languages, without errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.lab.console.made_versions import MadeVersions
from tests.lab.console.servers import Servers

pytestmark = pytest.mark.servers
WIDTHS = (1280, 390)
PAGES = {
    "wang": (
        "", "parcels", "projects", "projects/new", "projects/xiaowei", "orders", "ledger", "ledger/research/3",
        "accounts", "requests", "emergency", "help", "models", "models/enterprise",
        "models/enterprise/differences", "models/enterprise/verdicts/{verdict}",
    ),
    "li": ("", "parcels", "parcels/{fresh}", "parcels/{half}", "parcels/{refused}"),
    "sun": ("", "ledger", "ledger/research/3", "verdicts", "cards", "models", "models/enterprise"),
    "guo": ("", "bank"),
    "he": ("", "help", "deliveries", "mappings", "quarantine", "repairs", "quality", "commitments"),
    "bo": ("", "parcels", "parcels/{clean}", "projects", "orders"),
}  # fmt: skip
PRESSED = "a, button, input:not([type=hidden]), textarea, summary, img"
UNNAMED = (
    f"() => [...document.querySelectorAll('{PRESSED}')]"
    + """.filter(e => {
  const name = e.getAttribute('aria-label') || e.textContent || e.getAttribute('alt')
    || [...(e.labels || [])].map(l => l.textContent).join('') || (e.querySelector('img') || {}).alt;
  return !(name || '').trim() && !(e.tagName === 'IMG' && e.getAttribute('alt') === '');
}).map(e => e.outerHTML)"""
)
REACHABLE = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, summary')]
  .filter(e => e.checkVisibility() && (!e.closest('details:not([open])') || e.tagName === 'SUMMARY')).length"""
FOCUSED = """() => { const e = document.activeElement; if (!e || e === document.body) return null;
  const s = getComputedStyle(e), b = e.getBoundingClientRect();
  e.dataset.reached = '1';
  return {ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2, seen: b.width > 0 && b.left < innerWidth,
    tag: e.outerHTML.slice(0, 120)}; }"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield started
        started.close()


def enter(browser: Browser, servers: Servers, name: str, *, width: int = 1280, **options: object) -> Page:
    """A browser page after a login through the hub's form."""
    context: BrowserContext = browser.new_context(viewport={"width": width, "height": 900}, **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(servers.console)
    page.fill("#username_input", name)
    page.fill("#password_input", "any")
    page.press("#password_input", "Enter")
    page.wait_for_url(f"{servers.console}**")
    return page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_used_by_keyboard(
    browser: Browser, servers: Servers, versions: MadeVersions, name: str, width: int
) -> None:
    """Tab reaches every control, visibly and with a focus ring; every control has an accessible name."""
    page = enter(browser, servers, name, width=width, locale="zh-CN" if width == 390 else "en-GB")
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    for path in PAGES[name]:
        page.goto(servers.console + path.format(**servers.zone.parcels, verdict=versions.verdict))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
        assert page.evaluate(UNNAMED) == [], path
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        assert page.evaluate("document.documentElement.lang") == ("zh-CN" if width == 390 else "en")
        wanted = page.evaluate(REACHABLE)
        for _ in range(wanted + 25):
            page.keyboard.press("Tab")
            focused = page.evaluate(FOCUSED)
            if focused is None:
                break
            assert focused["ring"], f"{path}: no ring around {focused['tag']}"
            assert focused["seen"], f"{path}: out of sight: {focused['tag']}"
        reached = page.evaluate("""() => [...document.querySelectorAll('[data-reached]')].length""")
        assert reached >= wanted, path
    assert messages == []
    page.context.close()


def test_the_skip_link_is_first_and_leads_to_the_content(browser: Browser, servers: Servers) -> None:
    """Tab and Enter skip the navigation."""
    page = enter(browser, servers, "li")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_a_parcel_is_reviewed_without_a_mouse(browser: Browser, servers: Servers) -> None:
    """The list by j and Enter, a question by q, the end of a file by e, a vote by a: keys only."""
    rows = "".join(f"键{n},{5010 + 35 * n}\n" for n in range(1, 7))  # an approval that needs no reason
    name = servers.zone.submit({"keys.csv": f"键,户数\n{rows}".encode()}, "AAA 键盘审查")
    page = enter(browser, servers, "chen", locale="en-GB")
    page.goto(f"{servers.console}parcels")
    for _ in range(30):
        page.keyboard.press("j")
        if name in (page.evaluate("document.activeElement.href") or ""):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/parcels/{name}")
    page.keyboard.press("q")
    assert page.evaluate("document.activeElement.name") == "question"
    page.keyboard.press("Escape")
    assert page.locator("[data-key=approve]").count() == 0, "a vote opens when the file was read to its end"
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key=approve]")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.value") == "refuse"
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.value") == "approve"
    page.keyboard.press("Enter")
    page.wait_for_url("**/vote")
    assert not servers.zone.airlock.get(name).has_voted("chen"), "a final vote is asked once more"
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.wait_for_url("**said=voted")
    assert servers.zone.airlock.get(name).has_voted("chen")
    page.keyboard.press("?")
    page.wait_for_url("**/help")
    page.goto(f"{servers.console}orders")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "BODY", "there is no search here"
    page.goto(f"{servers.console}ledger")
    page.keyboard.press("/")
    page.keyboard.type("keys.csv")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=keys.csv**")
    assert page.get_by_text("2 matching entries").count() == 1  # submitted, and read to its end
    page.context.close()


def test_it_works_without_javascript(browser: Browser, servers: Servers) -> None:
    """Language, search, forms and log-out need no script."""
    page = enter(browser, servers, "wang", java_script_enabled=False, locale="en-GB")
    page.get_by_role("link", name="中文").click()
    assert page.get_by_role("heading", name="wang").inner_text() == "wang，您好"
    page.goto(f"{servers.console}ledger?verb=project.")
    assert page.locator("tbody tr").count() >= 5
    page.get_by_role("link", name="English").click()
    assert "verb=project." in page.url
    page.locator(".who summary").click()
    page.get_by_role("button", name="Log out").click()
    assert page.url.startswith(servers.hub)
    page.context.close()


def test_text_can_be_read_in_light_and_dark(browser: Browser, servers: Servers) -> None:
    """Every text has a contrast of at least 4.5 to 1 (WCAG 2.2 AA) in both colour schemes."""
    for scheme in ("light", "dark"):
        page = enter(browser, servers, "li", color_scheme=scheme)
        for path in ("", "parcels", "parcels/{fresh}?file=行业分布.csv", "ledger", "orders"):
            page.goto(servers.console + path.format(**servers.zone.parcels))
            poor = page.evaluate(CONTRAST)
            assert poor == [], (scheme, path, poor[:3])
        page.context.close()


CONTRAST = """() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = ([r, g, b]) => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > .5) return c; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), poor = [];
  for (let n; n = walker.nextNode();) {
    const e = n.parentElement;
    if (!n.data.trim() || !e.checkVisibility() || e.closest('.hidden, .skip, option, header')) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push([ratio.toFixed(2), n.data.trim().slice(0, 30), e.className]);
  }
  return poor;
}"""
