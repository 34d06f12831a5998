"""Auditors and banks read, change nothing, and see no subject and nothing of others."""

from __future__ import annotations

import pytest

from tests.lab.console.servers import Servers
from tests.lab.console.zone import OTHER, PSEUDONYM

pytestmark = [pytest.mark.servers, pytest.mark.attack]


def test_an_auditor_reads_an_entry_without_what_could_name_a_subject(servers: Servers) -> None:
    """Neither lists, nor entries, nor searches show a pseudonym; the names of withheld details are shown."""
    client = servers.login("sun")
    listed = client.get(f"{servers.console}ledger", params={"zone": "service", "verb": "score."}).text
    assert "01890a5d-ac96-774b-bcce-b302099a8050" in listed
    for number in range(1, 5):
        page = client.get(f"{servers.console}ledger/service/{number}").text
        assert PSEUDONYM not in page
        assert OTHER not in page
        assert "Not shown to auditors: <code>subject, title</code>" in page
    for search in ({"text": PSEUDONYM}, {"object": f"watch-{PSEUDONYM}"}):
        shown = client.get(f"{servers.console}ledger", params={"zone": "service", **search}).text
        none = client.get(
            f"{servers.console}ledger", params={"zone": "service"} | dict.fromkeys(search, "f9" * 16)
        ).text
        assert shown.count("data-row") == none.count("data-row"), "the search shows whether a subject is there"


def test_an_auditor_reads_verdicts_and_cards_and_no_reason_about_files(servers: Servers) -> None:
    """The checks of a parcel are listed with their outcomes; no file's name and no value is."""
    client = servers.login("sun")
    page = client.get(f"{servers.console}verdicts").text
    assert "parcel.submitted" in page
    assert "importance.png" not in page
    assert client.get(f"{servers.console}cards").status_code == 200


def test_a_bank_sees_its_own_page_alone(servers: Servers) -> None:
    """It names its bank, and neither another bank nor a pseudonym."""
    page = servers.login("guo").get(f"{servers.console}bank").text
    for shown in ("bank-a", "key-of-bank-a", "01890a5d-ac96-774b-bcce-b302099a8050", "loan"):
        assert shown in page
    for hidden in ("bank-b", PSEUDONYM, OTHER):
        assert hidden not in page


def test_the_city_learns_what_to_do_at_the_command_line(servers: Servers) -> None:
    """Its first page is plain, in both languages."""
    client = servers.login("he")
    assert "haihe login" in client.get(servers.console).text
    assert "命令行" in client.get(servers.console, headers={"Accept-Language": "zh"}).text
