"""The city team sees what was brought in, what waits and what was repaired; no value of a record is on any page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest

from credit.messages import Text
from credit.requests.past_requests import delivery_of
from privacy.quarantine.listing import shown_rows, waiting_rows
from privacy.vault import Vault
from tests.lab.console.city.custody_agent import bring_city, carried_out, running_custody
from tests.lab.console.pages.test_page_actions import send
from tests.lab.console.servers import Servers

pytestmark = pytest.mark.servers
PAGES = ("deliveries", "mappings", "quarantine", "repairs", "quality", "commitments")


@dataclass(frozen=True)
class CityWork:
    """The servers with a custody zone in which an invented city's files were brought in."""

    servers: Servers
    result: dict[str, Any]
    request: str

    def page(self, client: httpx.Client, path: str) -> str:
        answer = client.get(self.servers.console + path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def work(servers: Servers) -> Iterator[CityWork]:
    with running_custody(servers.zone):
        state = bring_city(servers.zone)
        assert state.failure is None, state.failure
        yield CityWork(servers, dict(state.results[0]), state.request.id)


def test_a_delivery_is_listed_with_its_counts_and_reasons(work: CityWork) -> None:
    client = work.servers.login("he")
    assert f"{work.result['quarantined']:,}" in work.page(client, "deliveries")
    page = work.page(client, f"deliveries/{work.request}")
    assert "行政处罚" in page
    chinese = work.page(work.servers.login("he", language="zh"), f"deliveries/{work.request}")
    reasons = [Text.from_json(message) for message in work.result["messages"].values()]
    assert len(reasons) > 5
    for reason in reasons:
        assert reason is not None
        assert reason.render("en") in unescape(page)
        assert reason.render("zh") in unescape(chinese)
    assert client.get(f"{work.servers.console}deliveries/request-{'0' * 32}").status_code == 404


def test_what_waits_is_counted_by_table_field_and_reason(work: CityWork) -> None:
    client = work.servers.login("he")
    page = work.page(client, "quarantine")
    assert sum(each["rows"] for each in work.result["waiting"]) == work.result["quarantined"]
    assert "haihe quarantine --page" in page
    again = send(client, work.servers, "quarantine", "quarantine")
    assert "The rows that wait are counted." in again.text
    assert f"{work.result['quarantined']:,}" in again.text


def test_a_mapping_is_shown_as_it_was_given(work: CityWork) -> None:
    page = work.page(work.servers.login("he"), "mappings")
    assert "示例市监局（虚构）" in page
    assert "当事人代码" in page
    assert "CF_XDR_SHXYM" in page


def test_the_quality_of_a_month_comes_to_the_person_who_requested_it(work: CityWork) -> None:
    client = work.servers.login("he")
    page = send(client, work.servers, "quality", "quality", month="2026-10")
    assert "quality?request=request-" in str(page.url)
    while "Custody is measuring" in page.text:
        page = client.get(str(page.url))
    assert "行政处罚" in page.text
    refused = send(client, work.servers, "quality", "quality", month="October")
    assert refused.status_code == 422


def test_commitments_are_counted_by_agency(work: CityWork) -> None:
    client = work.servers.login("he")
    page = send(client, work.servers, "commitments", "commitments")
    while "Custody is counting" in page.text:
        page = client.get(str(page.url))
    assert "All agencies" in page.text
    assert page.text.count("<tr>") > 2


def test_a_repair_names_its_record_to_custody_alone(work: CityWork) -> None:
    client = work.servers.login("he")
    page = send(client, work.servers, "repairs", "repairs", documents="津NONE〔2024〕1号", subject="X" * 18)
    assert page.status_code == 404
    assert "There is no record with this document number" in page.text
    listed = work.page(client, "repairs")
    assert "There is no record with this document number" in listed
    assert "津NONE" not in listed
    ledgers = work.servers.zone.settings.ledger.parent
    assert all("津NONE" not in path.read_text() for path in ledgers.glob("*.jsonl"))
    assert send(client, work.servers, "repairs", "repairs", documents="").status_code == 422


@pytest.mark.attack
def test_no_page_has_a_value_of_a_record_nor_the_name_of_a_file(work: CityWork) -> None:
    """Every waiting row's document, value and file is looked for on every page, in both languages."""
    zone = work.servers.zone
    root = zone.settings.ledger.parents[1]
    vault = Vault(root / "raw", (root / "keys" / "custody" / "raw.key").read_bytes())
    rows = shown_rows(waiting_rows(vault), _catalogue())
    secret = {str(row[name]) for row in rows for name in ("file", "document", "value")}
    secret = {each for each in secret if len(each) > 5}
    assert len(secret) > 20
    for language in ("en", "zh"):
        client = work.servers.login("he", language=language)
        for path in (*PAGES, f"deliveries/{work.request}"):
            page = work.page(client, path)
            assert not [each for each in secret if each in page], path


def test_the_command_line_gives_the_same(work: CityWork) -> None:
    """The rows of the page and of ``--json`` are of one function, over the same ledgers."""
    state = carried_out(work.servers.zone, "quarantine", {"catalogue": "city"})
    assert state.results[0]["waiting"] == work.result["waiting"]
    assert json.dumps(delivery_of(state), ensure_ascii=False)


def _catalogue() -> Any:
    from credit.catalogue import Catalogue

    return Catalogue.load("city")
