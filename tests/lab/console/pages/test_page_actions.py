"""The work itself, through the pages: a parcel from the queue to the outbox, a project, an account, an order."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from credit.actor import Actor, Role
from credit.seal import Kind
from credit.shelf import Shelf
from tests.lab.console import parcel_files
from tests.lab.console.servers import Stand, form_token

pytestmark = pytest.mark.servers


def send(client: httpx.Client, stand: Stand, page: str, to: str, **form: str | list[str]) -> httpx.Response:
    """Open a page and send one of its forms, as a browser does."""
    opened = client.get(stand.console + page)
    assert opened.status_code == 200, opened.text[-500:]
    assert f'action="/services/console/{to}"' in opened.text, f"{page} has no form for {to}"
    return client.post(stand.console + to, data={"form_token": form_token(opened.text), **form})


def test_a_parcel_goes_from_the_queue_to_the_outbox(stand: Stand) -> None:
    """Asked about, answered, approved by two with reasons, received by its author: each by the form on the page."""
    zone = stand.zone
    name = zone.submit({"行业.csv": parcel_files.exact()}, "全程测试")
    li, chen, alice = (stand.login(each) for each in ("li", "chen", "alice"))
    at = f"parcels/{name}"
    assert name in li.get(f"{stand.console}parcels").text.split("Awaits others")[0]
    page = li.get(stand.console + at).text
    assert '<td class="review" title="look"><mark>1204' in page
    assert "逾期户数" in page
    assert "lab.catalogue()" in page, "the executed cells are not beneath"
    assert "loan_performance, registration" in page, "what the cells read is not told"
    asked = send(li, stand, at, f"{at}/ask", question="零户的两个行业，是总体中没有，还是被剔除？")
    assert "The question is with the author" in asked.text
    answered = send(alice, stand, at, f"{at}/answer", answer="总体中没有逾期的企业")
    assert "总体中没有逾期的企业" in answered.text
    silent = send(li, stand, at, f"{at}/vote", decision="approve", reason="")
    assert silent.status_code == 422
    voted = send(li, stand, at, f"{at}/vote", decision="approve", reason="零值真实，计数较大")
    assert "Your vote is cast" in voted.text
    assert f'action="/services/console/{at}/vote"' not in voted.text
    done = send(chen, stand, at, f"{at}/vote", decision="approve", reason="同意")
    assert "零值真实" in done.text
    assert "approved" in done.text
    received = send(alice, stand, at, f"{at}/collect")
    assert "sealed in the outbox" in received.text
    outbox = Shelf(zone.settings.outbox, zone.ring).list(Kind.PARCEL)
    assert zone.desk.get(name).sealed in {seal.id for seal in outbox}
    later = zone.submit({"months.csv": parcel_files.rounded("旬", 3, base=900)}, "下一份")
    assert "全程测试" in li.get(f"{stand.console}parcels/{later}").text, "what was carried out before is not shown"


def test_a_notebook_and_a_text_are_shown_with_numbered_and_marked_lines(stand: Stand) -> None:
    """Lines are numbered as the findings number them, from cell to cell."""
    long = f'words = "{"词 " * 1100}"\n'
    name = stand.zone.submit({"long.py": b"x = 1\n" + long.encode(), "n.ipynb": parcel_files.notebook()}, "行号")
    client = stand.login("li")
    page = client.get(f"{stand.console}parcels/{name}", params={"file": "long.py"}).text
    assert re.search(r'<li id="L2" value="2" class="review">', page)
    assert '<a href="#L2">2</a>' in page
    page = client.get(f"{stand.console}parcels/{name}", params={"file": "n.ipynb"}).text
    assert re.search(r'id="L4" value="4"><code>import lab', page)


def test_the_platform_runs_a_project(stand: Stand) -> None:
    """Opened, staffed, granted, extended and closed by forms; each in the ledger by the platform's name."""
    client, zone = stand.login("wang"), stand.zone
    ends = (zone.settings.day() + timedelta(days=40)).isoformat()
    form = {"name": "newone", "title": "新课题", "purpose": "测试", "ends_on": ends}
    page = send(client, stand, "projects/new", "projects/new", **form)
    assert "The project is open" in page.text
    at = "projects/newone"
    send(client, stand, at, f"{at}/members", members=["alice", "bo"])
    send(client, stand, at, f"{at}/tables", tables=["registration", "tax_arrears"])
    later = (zone.settings.day() + timedelta(days=80)).isoformat()
    send(client, stand, at, f"{at}/extend", ends_on=later)
    project = zone.projects.get("newone")
    assert (project.members, project.tables) == (("alice", "bo"), ("registration", "tax_arrears"))
    assert project.ends_on.isoformat() == later
    assert send(client, stand, at, f"{at}/members", members=["li"]).status_code == 422
    assert send(client, stand, at, f"{at}/tables", tables=["passwords"]).status_code == 422
    assert send(client, stand, at, f"{at}/extend", ends_on="2001-01-01").status_code == 422
    assert send(client, stand, "projects/new", "projects/new", **form).status_code == 422
    send(client, stand, at, f"{at}/close")
    assert zone.projects.get("newone").closed
    assert {str(entry.by) for entry in zone.ledger.about("project-newone")} == {"platform:wang"}


def test_a_new_account_s_password_is_shown_once_and_works(stand: Stand) -> None:
    """The page that answers the form shows it; no later page does, nor the ledger."""
    client, zone = stand.login("wang"), stand.zone
    page = send(client, stand, "accounts", "accounts", name="newbie", roles=["researcher"])
    found = re.search(r"<output><code>([^<]+)</code>", page.text)
    assert found
    assert zone.accounts.verify("newbie", found[1]) is not None
    assert found[1] not in client.get(f"{stand.console}accounts").text
    assert found[1] not in zone.settings.ledger.read_text()
    again = send(client, stand, "accounts", "accounts", name="newbie", roles=["platform"])
    assert again.status_code == 422, "an account was taken over by adding it again"
    alone = send(client, stand, "accounts", "accounts", name="wang", roles=["researcher"], again="yes")
    assert alone.status_code == 403, "the last of the platform locked everybody out"
    removed = send(client, stand, "accounts", "accounts/newbie/remove")
    assert "newbie" not in zone.accounts.all()
    assert removed.status_code == 200


def test_the_platform_cancels_an_order(stand: Stand) -> None:
    """The entry stands where the worker looks for it; an order that ended cannot be cancelled."""
    client, zone = stand.login("wang"), stand.zone
    page = client.get(f"{stand.console}orders").text
    assert "fold 3 of 5" in page
    assert "The release has lapsed: it ended on 2026-11-01. Take a newer one" in page
    waiting = re.findall(r'action="/services/console/(orders/order-[0-9a-f]{64}/cancel)"', page)
    assert len(waiting) == 2
    for path in waiting:
        send(client, stand, "orders", path, project="xiaowei")
    cancelled = [entry.object for entry in zone.ledger.entries() if entry.verb == "training.cancelled"]
    assert {f"orders/{each}/cancel" for each in cancelled} == set(waiting)
    page = client.get(f"{stand.console}orders").text
    assert "stopping" in page
    assert "/cancel" not in page
    again = client.post(stand.console + waiting[0], data={"form_token": form_token(page), "project": "xiaowei"})
    assert again.status_code == 403


def test_the_ledger_is_searched_page_by_page(stand: Stand) -> None:
    """The filters of the form narrow it, older pages go on where the page ended, an entry shows all it holds."""
    client, zone = stand.login("li"), stand.zone
    alice = Actor("alice", Role.RESEARCHER)
    zone.ledger.append_many([("cell.executed", f"cell-{n:064x}", alice, {"n": f"mark{n}"}) for n in range(120)])
    page = client.get(f"{stand.console}ledger", params={"by": "alice", "verb": "cell.", "text": "mark"}).text
    assert "120 entries fit" in page, page
    seen: list[str] = []
    while True:
        seen += re.findall(r'data-row href="/services/console/ledger/research/(\d+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        if not older:
            break
        page = client.get(str(httpx.URL(stand.console).join(older[1].replace("&amp;", "&")))).text
    assert len(seen) == len(set(seen)) == 120
    entry = client.get(f"{stand.console}ledger/research/{seen[0]}").text
    assert "mark119" in entry
    assert next(e for e in reversed(list(zone.ledger.entries())) if e.details.get("n") == "mark119").id in entry
