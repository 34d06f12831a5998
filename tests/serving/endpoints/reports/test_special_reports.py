"""A special report says 有 or 无 by field, with what no other answer shows, to the subject's own request alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_credit_files import FIRM, RECORDS, headers, penalty, post_query, register, shelve
from serving_world import PURPOSE, TODAY

from credit.canonical import digest
from credit.errors import Broken
from credit.keys import KeyRing, SigningKey
from serving.auth.mandates import SPECIAL_REPORT
from serving.endpoints.reports.special import special_declaration
from serving.endpoints.reports.special_code import MARGIN, code_matrix, code_runs, read_statement, sign_statement

YEAR = TODAY.year
FILES = RECORDS | {
    FIRM: register("海河虚构贸易有限公司") | {
        "administrative_penalty": [
            penalty("罚1号", day=f"{YEAR}-03-02"),
            penalty("简易1号", day=f"{YEAR}-03-02", severity="minor", domain="税务"),
            penalty("期满1号", day=f"{YEAR - 1}-03-02", ends=f"{YEAR}-03-02", domain="消防救援"),
            penalty("早先1号", day=f"{YEAR - 3}-03-02", domain="生态环境"),
            penalty("争议1号", day=f"{YEAR}-03-02", state="disputed", domain="卫生健康"),
            penalty("内部1号", day=f"{YEAR}-03-02", domain="未列明的领域"),
        ],
        "serious_dishonesty_list": [[f"{YEAR - 3}-05-01", None, "列1号"]],
    },
}  # fmt: skip


@pytest.fixture
def special(world: Any, serve: Any) -> Any:
    """The service with a firm that has something in several fields."""
    shelve(world, FILES)
    with serve() as running:
        yield running


def requested(running: Any, *, mandate: str | None = None, **more: Any) -> Any:
    name = running.world.grant("bohai", FIRM, purpose=SPECIAL_REPORT).id if mandate is None else mandate
    body = {"uscc": FIRM, "mandate": name, "first_year": YEAR - 1, "last_year": YEAR, "format": "json"} | more
    return running.http.post("/v1/reports/special", json=body, headers=headers(running))


def stated(response: Any) -> dict[str, str]:
    assert response.status_code == 200, response.text
    return {entry["title"]: entry["value"] for entry in response.json()["special"]["fields"]}


def test_it_states_by_field_what_there_is_with_minor_and_ended_records(special: Any) -> None:
    response = requested(special)
    fields = stated(response)
    present = {name for name, value in fields.items() if value == "有"}
    # The list has no field of its own here, and a value that no field names belongs to 其他: nothing is left out.
    assert present == {"市场监管", "税务", "消防救援", "其他"}
    assert set(fields.values()) == {"有", "无"}
    documents = {item["heading"] for part in response.json()["parts"] for item in part["items"]}
    assert documents == {"罚1号", "简易1号", "期满1号", "内部1号", "列1号"}
    assert [part["note"] for part in response.json()["parts"] if part["name"] == "criminal"] == ["平台未归集该类信息"]


def test_fields_and_years_are_chosen(special: Any) -> None:
    only = requested(special, fields=["tax", "environment"], first_year=YEAR - 3)
    assert stated(only) == {"税务": "有", "生态环境": "有"}
    assert stated(requested(special, fields=["environment"])) == {"生态环境": "无"}
    assert requested(special, fields=["nothing"]).status_code == 422
    for years in ((YEAR, YEAR - 1), (YEAR - 5, YEAR), (YEAR, YEAR + 1)):
        assert requested(special, first_year=years[0], last_year=years[1]).status_code == 422


@pytest.mark.attack
def test_no_other_answer_shows_what_it_shows(special: Any) -> None:
    lending = special.world.grant("bohai", FIRM).id
    for more in ({}, {"mandate": lending, "purpose": PURPOSE}):
        shown = {record["document"] for record in post_query(special, "penalties", **more).json()["records"]}
        assert shown == {"罚1号", "早先1号", "内部1号"}
        query = "&".join(f"{name}={value}" for name, value in {"format": "json", **more}.items())
        report = special.http.get(f"/v1/reports/{FIRM}?{query}", headers=headers(special)).text
        assert "简易1号" not in report
        assert "期满1号" not in report


@pytest.mark.attack
def test_its_mandate_permits_nothing_else_and_no_other_mandate_permits_it(special: Any) -> None:
    lending, own = special.world.grant("bohai", FIRM).id, special.world.grant("bohai", FIRM, purpose=SPECIAL_REPORT).id
    for mandate in (
        "",
        lending,
        f"mandate-{'0' * 32}",
        special.world.grant("jincheng", FIRM, purpose=SPECIAL_REPORT).id,
    ):
        assert requested(special, mandate=mandate).status_code == 403
    for path in ("/v1/scores", "/v1/queries/penalties", "/v1/queries/evaluation"):
        for purpose in (SPECIAL_REPORT, PURPOSE):
            sent = {"uscc": FIRM, "purpose": purpose, "mandate": own}
            assert special.http.post(path, json=sent, headers=headers(special)).status_code == 403, path


@pytest.mark.attack
def test_credit_files_without_these_records_give_no_report(
    world: Any, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serving_credit_files

    older = {name: {**table, "certificate": False} for name, table in serving_credit_files.TABLES.items()}
    monkeypatch.setattr(serving_credit_files, "TABLES", older)
    shelve(world, FILES)
    with serve() as running:
        assert requested(running).status_code == 503


def test_the_code_has_the_counts_of_the_report_and_is_checked_without_the_service(special: Any) -> None:
    response = requested(special, fields=["market", "tax", "courts"])
    statement = read_statement(response.json()["special"]["code"], special.world.shelf.ring)
    assert statement["number"] == response.headers["X-Report-Number"]
    assert (statement["uscc"], statement["fields"]) == (FIRM, ["market", "tax", "courts"])
    assert statement["counts"] == {"penalties": [1, 1, 0], "coercion": None, "lists": [0, 0, 0], "criminal": None}


def test_page_and_pdf_show_the_same_code(special: Any) -> None:
    page, paper = requested(special, format="html"), requested(special, format="pdf")
    assert page.status_code == paper.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert re.search(r'<svg class="code"[^>]*><path d="M0 0h7v1h-7z', page.text)  # the first finder pattern
    assert "专项信用报告" in page.text
    assert paper.content.startswith(b"%PDF")
    assert digest(page.content) != digest(paper.content)


@pytest.mark.attack
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_code_that_was_changed_or_is_of_another_kind_is_refused(special: Any, part: int) -> None:
    ring, text = special.world.shelf.ring, requested(special).json()["special"]["code"]
    parts = text.split(".")
    parts[part] = ("A" if parts[part][5] != "A" else "B").join((parts[part][:5], parts[part][6:]))
    answer = special.http.get(f"/v1/reports/{FIRM}?format=json", headers=headers(special))
    for wrong in (".".join(parts), "", "a.b.c", answer.headers["X-JWS-Signature"]):
        with pytest.raises(Broken):
            read_statement(wrong, ring)


def test_every_value_of_the_catalogue_belongs_to_one_field() -> None:
    from credit.catalogue import Catalogue

    declared, catalogue = special_declaration(), Catalogue.load("city")
    values = [value for field in declared.fields for value in field.values]
    assert len(values) == len(set(values))
    for content in declared.contents:
        table = catalogue.table(content.table)
        assert table.certificate
        assert content.column is None or set(table.field(content.column).enum) <= set(values)


@given(st.text(alphabet="abcXYZ.-_019", min_size=1, max_size=300))
def test_the_runs_of_a_code_are_its_dark_modules(text: str) -> None:
    rows = code_matrix(text)
    dark = {(x + n, y) for x, y, length in code_runs(rows) for n in range(length)}
    assert dark == {(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "1"}
    assert len(rows) == len(rows[0]) >= 21
    assert MARGIN == 4


def test_a_statement_comes_back(tmp_path: Any) -> None:
    key = SigningKey.create(tmp_path, "service")
    assert read_statement(sign_statement({"number": "1"}, key), KeyRing.of(key)) == {"number": "1"}
