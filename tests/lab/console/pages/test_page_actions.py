"""The actions of the pages: a parcel from submission to the outbox, a project, an account, an order."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import httpx
import pytest

from credit.actor import Actor, Role
from credit.seal import Kind
from credit.shelf import Shelf
from lab.airlock.gate import judge_parcel
from lab.airlock.review.sealing import parcel_terms
from lab.console.rendering.render import figure
from tests.lab.accounts.made_accounts import remove_account
from tests.lab.console import parcel_files
from tests.lab.console.servers import Servers, form_token
from tests.lab.console.zone import FIRST, SECOND

pytestmark = pytest.mark.servers


def send(client: httpx.Client, servers: Servers, page: str, to: str, **form: str | list[str]) -> httpx.Response:
    """Open a page and send one of its forms, as a browser does."""
    opened = client.get(servers.console + page)
    assert opened.status_code == 200, opened.text[-500:]
    assert f'action="/services/console/{to}"' in opened.text, f"{page} has no form for {to}"
    return client.post(servers.console + to, data={"form_token": form_token(opened.text), **form})


def read_to_the_end(client: httpx.Client, servers: Servers, at: str) -> None:
    """Confirm at the end of each file's page, as a reviewer who read it does."""
    for file in servers.zone.airlock.get(at.rpartition("/")[2]).files:
        page = client.get(servers.console + at, params={"file": file}).text
        end = re.search(r'name="end" value="([0-9a-f]{64})"', page)
        assert end, "the end of the file is not on its page"
        form = {"form_token": form_token(page), "file": file, "end": end[1]}
        assert client.post(f"{servers.console}{at}/read", data=form).status_code == 200


def test_everything_that_leaves_is_on_the_pages_of_a_parcel(servers: Servers) -> None:
    """Each cell and name of each file and each value that the seal will say: none is signed unseen."""
    rows = b"".join(b"%d,%d\n" % (n, 5000 + 5 * n) for n in range(1, 700))
    name = servers.zone.submit({"long.csv": b"group,n\n" + rows, "区.csv": parcel_files.rounded("区", 5)}, "全部可见")
    petition, client = servers.zone.airlock.get(name), servers.login("li")
    for file in petition.files:
        page = html.unescape(client.get(f"{servers.console}parcels/{name}", params={"file": file}).text)
        leaving = judge_parcel({file: servers.zone.airlock.file(name, file, by=Actor("li", Role.REVIEWER))}).leaving
        for row in csv.reader(io.StringIO(leaving[file].decode())):
            assert all(cell in page for cell in row)
        assert "it can hold 0 B of information" in page
        for value in leaves_of(parcel_terms(petition, invented=True)):
            assert value in page, "the seal says what is not shown"


def leaves_of(value: object) -> Iterator[str]:
    """Every name and every value of a seal's terms, as texts; thresholds as the page writes figures."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield str(key)
            yield from leaves_of(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves_of(each)
    else:
        yield figure(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def test_a_parcel_goes_from_the_queue_to_the_outbox(servers: Servers) -> None:
    """Question, answer, two approvals with reasons, collection: each by the form on the page."""
    zone = servers.zone
    name = zone.submit({"行业.csv": parcel_files.exact()}, "全程测试")
    li, chen, alice = (servers.login(each) for each in ("li", "chen", "alice"))
    at = f"parcels/{name}"
    assert name in li.get(f"{servers.console}parcels").text.split("Waiting for others")[0]
    page = li.get(servers.console + at).text
    assert '<td class="review" title="needs review"><mark>1204' in page
    assert "逾期户数" in page
    assert "lab.catalogue()" in page, "the executed cells are not beneath"
    assert "loan_performance, registration" in page, "what the cells read is not told"
    questioned = send(li, servers, at, f"{at}/ask", question="零户的两个行业，是总体中没有，还是被剔除？")
    assert "The question was sent to the author" in questioned.text
    answered = send(alice, servers, at, f"{at}/answer", answer="总体中没有逾期的企业")
    assert "总体中没有逾期的企业" in answered.text
    assert f'action="/services/console/{at}/vote"' not in li.get(servers.console + at).text, "a file is not read yet"
    early = {"form_token": form_token(answered.text), "decision": "approve", "confirmed": "approve", "reason": "fine"}
    assert li.post(f"{servers.console}{at}/vote", data=early).status_code == 403
    read_to_the_end(li, servers, at)
    silent = send(li, servers, at, f"{at}/vote", decision="approve", reason="")
    assert silent.status_code == 422
    reason = "零值真实，计数较大"
    confirming = send(li, servers, at, f"{at}/vote", decision="approve", reason=reason)
    assert "The vote is final" in confirming.text
    assert reason in confirming.text
    assert not zone.airlock.get(name).has_voted("li"), "a final vote is asked once more"
    crossed = send(li, servers, at, f"{at}/vote", decision="refuse", reason=reason, confirmed="approve")
    assert "You refuse this parcel" in crossed.text, "what was confirmed is another decision"
    voted = send(li, servers, at, f"{at}/vote", decision="approve", reason=reason, confirmed="approve")
    assert "Your vote is cast" in voted.text
    assert f'action="/services/console/{at}/vote"' not in voted.text
    read_to_the_end(chen, servers, at)
    done = send(chen, servers, at, f"{at}/vote", decision="approve", reason="同意", confirmed="approve")
    assert "零值真实" in done.text
    assert "approved" in done.text
    received = send(alice, servers, at, f"{at}/collect")
    assert "sealed in the outbox" in received.text
    outbox = Shelf(zone.settings.outbox, zone.ring).list(Kind.PARCEL)
    assert zone.airlock.get(name).sealed in {seal.id for seal in outbox}
    later = zone.submit({"months.csv": parcel_files.rounded("旬", 3, base=900)}, "下一份")
    assert "全程测试" in li.get(f"{servers.console}parcels/{later}").text, "what was carried out before is not shown"


def test_a_notebook_and_a_text_are_shown_with_numbered_and_marked_lines(servers: Servers) -> None:
    """Lines are numbered through all cells, as in the findings."""
    long = f'words = "{"企业 " * 800}"\n'
    name = servers.zone.submit({"long.py": b"x = 1\n" + long.encode(), "n.ipynb": parcel_files.notebook()}, "行号")
    client = servers.login("li")
    page = client.get(f"{servers.console}parcels/{name}", params={"file": "long.py"}).text
    assert re.search(r'<li id="L2" value="2" class="review">', page)
    assert '<a href="#L2">2</a>' in page
    page = client.get(f"{servers.console}parcels/{name}", params={"file": "n.ipynb"}).text
    assert re.search(r'id="L4" value="4"><code>import lab', page)


def test_the_platform_runs_a_project(servers: Servers) -> None:
    """Forms open, staff, grant, extend and close a project; the ledger names the platform user for each."""
    client, zone = servers.login("wang"), servers.zone
    ends = (zone.settings.day() + timedelta(days=40)).isoformat()
    form = {"name": "newone", "title": "新课题", "purpose": "测试", "ends_on": ends}
    page = send(client, servers, "projects/new", "projects/new", **form)
    assert "The project is open" in page.text
    at = "projects/newone"
    send(client, servers, at, f"{at}/members", members=["alice", "bo"])
    send(client, servers, at, f"{at}/tables", tables=["registration", "tax_arrears"])
    later = (zone.settings.day() + timedelta(days=80)).isoformat()
    send(client, servers, at, f"{at}/extend", ends_on=later)
    project = zone.projects.get("newone")
    assert (project.members, project.tables) == (("alice", "bo"), ("registration", "tax_arrears"))
    assert project.ends_on.isoformat() == later
    assert send(client, servers, at, f"{at}/members", members=["li"]).status_code == 422
    assert send(client, servers, at, f"{at}/tables", tables=["passwords"]).status_code == 422
    assert send(client, servers, at, f"{at}/extend", ends_on="2001-01-01").status_code == 422
    assert send(client, servers, "projects/new", "projects/new", **form).status_code == 422
    send(client, servers, at, f"{at}/close")
    assert zone.projects.get("newone").closed
    assert {str(entry.by) for entry in zone.ledger.about("project-newone")} == {"platform:wang"}


SHOWN = re.compile(r"<output><code>([^<]+)</code>")


def test_a_new_account_s_link_is_shown_once(servers: Servers) -> None:
    """Only the response to the form shows it, no later page and no ledger; adding the name again is refused."""
    client, zone = servers.login("wang", factor="totp"), servers.zone
    page = send(client, servers, "accounts", "accounts", name="newbie", roles=["researcher"])
    link = SHOWN.search(page.text)
    assert link
    token = link[1].partition("?key=")[2]
    assert "/hub/enrol?key=" in link[1]
    account = zone.accounts.of_link(token)
    assert account is not None
    assert account.name == "newbie"
    assert token not in client.get(f"{servers.console}accounts").text
    assert token not in zone.settings.accounts_ledger.read_text()
    again = send(client, servers, "accounts", "accounts", name="newbie", roles=["platform"])
    assert again.status_code == 422, "an account was taken over by adding it again"
    own = {"form_token": form_token(page.text), "roles": "researcher"}
    for act in ("roles", "remove"):
        assert client.post(f"{servers.console}accounts/wang/{act}", data=own).status_code == 403
    removed = send(client, servers, "accounts", "accounts/newbie/remove")
    assert "newbie" not in zone.accounts.all()
    assert removed.status_code == 200


@pytest.mark.attack
def test_a_second_reviewer_takes_two_of_the_platform(servers: Servers) -> None:
    """The one who asked sees the link and cannot confirm; the other sees the code; before it there is no account."""
    first, zone = servers.login("wang", factor="totp"), servers.zone
    page = send(first, servers, "accounts", "accounts", name="extra", roles=["reviewer"])
    link = SHOWN.search(page.text)
    assert link
    (change,) = [each.id for each in zone.accounts.changes() if each.name == "extra"]
    for act in ("confirm", "refuse"):
        form = {"form_token": form_token(page.text), "change": change}
        assert first.post(f"{servers.console}accounts/extra/changes/{act}", data=form).status_code == 403
    assert "extra" not in zone.accounts.all()
    second = servers.login("zhou", factor="passkey")
    assert link[1] not in second.get(f"{servers.console}accounts").text
    confirmed = send(second, servers, "accounts", "accounts/extra/changes/confirm", change=change)
    code = SHOWN.search(confirmed.text)
    assert code
    assert re.fullmatch(r"[A-Z0-9]{5}-[A-Z0-9]{5}", code[1])
    assert code[1] not in first.get(f"{servers.console}accounts").text
    assert "extra" in zone.accounts.all()
    reset = send(first, servers, "accounts", "accounts/extra/reset")
    assert "Another person" in reset.text
    withdrawn = [each.id for each in zone.accounts.changes()]
    assert send(first, servers, "accounts", "accounts/extra/changes/withdraw", change=withdrawn[0]).status_code == 200
    assert zone.accounts.changes() == []
    remove_account(zone.account_changes, "extra", by=FIRST, second=SECOND)


def test_the_platform_cancels_an_order(servers: Servers) -> None:
    """The cancellation is recorded where the worker reads it; an ended order cannot be cancelled."""
    client, zone = servers.login("wang"), servers.zone
    page = client.get(f"{servers.console}orders").text
    assert "fold 3 of 5" in page
    assert "The release has lapsed: it ended on 2026-11-01. Take a newer one" in page
    waiting = re.findall(r'action="/services/console/(orders/order-[0-9a-f]{64}/cancel)"', page)
    assert len(waiting) == 2
    for path in waiting:
        send(client, servers, "orders", path, project="xiaowei")
    cancelled = [entry.object for entry in zone.ledger.entries() if entry.verb == "training.cancelled"]
    assert {f"orders/{each}/cancel" for each in cancelled} == set(waiting)
    page = client.get(f"{servers.console}orders").text
    assert "stopping" in page
    assert "/cancel" not in page
    again = client.post(servers.console + waiting[0], data={"form_token": form_token(page), "project": "xiaowei"})
    assert again.status_code == 403


def test_the_ledger_is_searched_page_by_page(servers: Servers) -> None:
    """The form filters entries, older pages continue without gaps, and an entry shows all its details."""
    client, zone = servers.login("li"), servers.zone
    alice = Actor("alice", Role.RESEARCHER)
    zone.ledger.append_many([("cell.executed", f"cell-{n:064x}", alice, {"n": f"mark{n}"}) for n in range(120)])
    page = client.get(f"{servers.console}ledger", params={"by": "alice", "verb": "cell.", "text": "mark"}).text
    assert "120 matching entries" in page, page
    seen: list[str] = []
    while True:
        seen += re.findall(r'data-row href="/services/console/ledger/research/(\d+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if not older:
            break
        page = client.get(str(httpx.URL(servers.console).join(older[1].replace("&amp;", "&")))).text
    assert len(seen) == len(set(seen)) == 120
    entry = client.get(f"{servers.console}ledger/research/{seen[0]}").text
    assert "mark119" in entry
    assert next(e for e in reversed(list(zone.ledger.entries())) if e.details.get("n") == "mark119").id in entry
