"""A release for inquiry has the public records of a named subject, and only values that the catalogue permits to
show.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from credit.catalogue import Catalogue
from credit.errors import Malformed, Refused
from credit.fields import Field
from credit.seal import Seal
from privacy.disclosure import Column, DisclosedTable, Disclosure, release_gate
from privacy.repair import repair
from tests.privacy.small_custody import CITY, COMMON, TABLES, TODAY, House, code, empty_house, register_of

CATALOGUE = Catalogue.load("city")
HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,SCOPE,NOTE\n"
EDITS = {
    "registration": {
        "rules: {research: subject, scoring: subject}": "rules: {inquiry: subject}",
        "column: subject_name, title: 名称, type: string, role: direct, rules: {}":
            "column: subject_name, title: 名称, type: string, role: direct, rules: {inquiry: show}",
    },
    "administrative_penalty": {
        "rules: {research: subject, scoring: subject}": "rules: {inquiry: subject}",
        "max_length: 20, role: direct,\n     rules: {}": "max_length: 20, role: direct,\n     rules: {inquiry: show}",
        "rules: {research: month, scoring: keep}": "rules: {inquiry: keep}",
        "rules: {research: month_after, scoring: keep}": "rules: {inquiry: keep}",
        "column: note, title: 说明, type: string, role: none, rules: {research: keep, scoring: keep}":
            "column: note, title: 说明, type: string, role: direct, rules: {inquiry: show_text}",
        "layouts:": "  - {name: SCOPE, column: scope, title: 范围, type: string, role: none, rules: {inquiry: keep}}\n"
                    "layouts:",
        "repair_document: DOCUMENT": "repair_document: DOCUMENT\nscope: SCOPE",
    },
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The small custody zone with a catalogue that permits an inquiry to show some columns."""
    bare, folder = empty_house(tmp_path), tmp_path / "shown"
    folder.mkdir()
    for name, table_yaml in TABLES.items():
        for old, new in EDITS.get(name, {}).items():
            assert old in table_yaml
            table_yaml = table_yaml.replace(old, new)
        (folder / f"{name}.yaml").write_text(COMMON + table_yaml, encoding="utf-8")
    return replace(bare, catalogue=Catalogue.load("shown", folder))


def released(house: House, *rows: str) -> tuple[Seal, list[dict[str, Any]]]:
    house.bring(registration=register_of(20), administrative_penalty=HEAD + "".join(f"{row}\n" for row in rows))
    seal = house.release("inquiry")
    place = house.shelf.open(seal.id).path / "administrative_penalty"
    return seal, [row for path in sorted(place.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_it_shows_document_numbers_and_states_who_may_see_which_column(house: House) -> None:
    seal, [row] = released(house, f"{code(1)},津罚〔2026〕1号,2026-03-15,,2029-03-15,5,general,normal,公示,无照经营")
    assert (row["document_number"], row["note"], row["_ends"]) == ("津罚〔2026〕1号", "无照经营", date(2029, 3, 15))
    terms = seal.terms["tables"]["administrative_penalty"]
    assert terms["shown"]["document_number"] == {"title": "文号", "unit": "", "shown_to": "anyone"}
    assert (terms["document"], terms["scope"], terms["repairable"]) == ("document_number", "scope", True)
    assert "fine" not in row  # without a rule for this purpose it is dropped


def test_what_may_not_be_shown_stays(house: House) -> None:
    seal, rows = released(
        house,
        f"{code(1)},SHOWN,2026-03-15,,,5,general,normal,公示,",
        f"{code(1)},MANDATE,2026-03-15,,,5,general,normal,授权查询,",
        f"{code(2)},WITHIN,2026-03-15,,,5,general,normal,政府部门内部共享,",
        f"{code(2)},ENDED,2024-03-15,,2026-11-01,5,general,normal,公示,",
        f"{code(3)},DISPUTED,2026-03-15,,,5,general,disputed,公示,",
        f"{code(3)},MINOR,2026-03-15,,,5,minor,normal,公示,",
        f"{code(4)},REPAIRED,2026-03-15,,,5,general,normal,公示,",
    )
    assert {row["document_number"] for row in rows} == {"SHOWN", "MANDATE", "REPAIRED"}
    shared = {"catalogue": house.catalogue, "vault": house.vault, "ledger": house.ledger, "by": CITY}
    repair("REPAIRED", **shared, on=TODAY)
    assert house.release("inquiry").terms["left_out"]["administrative_penalty"] == {
        "withheld": 1, "ended": 1, "disputed": 1, "minor": 1, "repaired": 1,
    }  # fmt: skip
    assert "credit_repair" not in seal.terms["tables"]


def test_of_a_table_of_special_reports_the_minor_and_ended_records_go_along(house: House) -> None:
    """Only where the release has the severity, by which the service shows them to nothing else."""
    rows = (
        f"{code(2)},ENDED,2024-03-15,,2026-11-01,5,general,normal,公示,",
        f"{code(3)},MINOR,2026-03-15,,,5,minor,normal,公示,",
    )
    table = replace(house.catalogue.table("administrative_penalty"), certificate=True)
    for shown, wanted in ((True, {"ENDED", "MINOR"}), (False, set())):
        fields = [
            replace(f, rules={**f.rules, "inquiry": "keep" if shown else "drop"}) if f.column == "severity" else f
            for f in table.fields
        ]
        changed = replace(table, fields=tuple(fields))
        catalogue = replace(house.catalogue, tables={**house.catalogue.tables, table.name: changed})
        seal, released_rows = released(replace(house, catalogue=catalogue), *rows)
        assert {row["document_number"] for row in released_rows} == wanted
        assert seal.terms["tables"]["administrative_penalty"]["certificate"] is shown


def test_persons_are_blotted_out_of_free_text(house: House) -> None:
    _, [row] = released(
        house, f"{code(1)},D,2026-03-15,,,5,general,normal,公示,张某 11010519491231002X 电话 138-0013-8000 在场"
    )
    assert row["note"] == "张某 〔隐去〕 电话 〔隐去〕 在场"


@pytest.mark.attack
def test_an_id_number_that_hides_from_the_blotting_stops_the_release(house: House) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in "11010519491231002X")
    with pytest.raises(Refused) as refused:
        released(house, f"{code(1)},D,2026-03-15,,,5,general,normal,公示,{wide}")
    assert [f.check for f in refused.value.findings if f.outcome == "fail"] == ["direct identifiers by content"]


@pytest.mark.attack
def test_keys_of_an_inquiry_join_with_no_other_purpose(house: House) -> None:
    seal, [row] = released(house, f"{code(1)},D,2026-03-15,,,5,general,normal,公示,")
    assert seal.terms["purpose"] == "inquiry"
    from credit.subjects import PseudonymKey

    for purpose in ("research", "scoring"):
        assert row["subject"] != PseudonymKey(purpose, b"inquiry".ljust(32, b"-")).hex_of(code(1))


def field_data(**more: Any) -> dict[str, Any]:
    base = {"name": "N", "column": "c", "title": "t", "type": "string", "role": "direct"}
    return base | {"openness": "社会公开", "sharing": "无条件共享", "usage": "可用于信用评价"} | more


@pytest.mark.attack
@pytest.mark.parametrize(
    "field",
    [
        field_data(rules={"research": "show"}),
        field_data(rules={"scoring": "show_text"}),
        field_data(role="none", rules={"research": "show"}),
        field_data(openness="不公开", rules={"inquiry": "show"}),
        field_data(role="none", openness="不公开", rules={"inquiry": "keep"}),
        field_data(sharing="不予共享", rules={"inquiry": "show"}),
    ],
)
def test_no_catalogue_can_be_written_that_shows_what_it_closes(field: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        Field.parse(field, where="x.yaml")


def test_the_gate_lets_shown_columns_pass_and_no_other_identifier() -> None:
    texts = [f"号{code(1)}"]
    for rule, opens in (("show", True), ("show_text", True), ("keep", False)):
        case = Disclosure((DisclosedTable("t", (Column("subject", (), "direct", "subject"),
                                       Column("document_number", texts, "direct", rule))),))  # fmt: skip
        verdict = release_gate({"k": 1, "small_cell": 1}).judge(
            case, requested_by=CITY, reviewer=replace(CITY, name="x")
        )
        assert (verdict.outcome == "pass") is opens, rule


@pytest.mark.parametrize("table", CATALOGUE.tables.values(), ids=lambda table: table.name)
def test_the_city_shows_no_person_and_no_market_data(table: Any) -> None:
    """Columns about persons and all market tables have no rule for an inquiry."""
    for field in table.fields:
        rule = field.rule("inquiry")
        if table.market or any(word in field.column for word in ("representative", "telephone", "person_", "account")):
            assert rule in ("drop", "subject")
        if field.visible_to == "nobody":
            assert rule in ("drop", "subject")
