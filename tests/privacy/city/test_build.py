"""The invented city is the same for the same seed, valid except for its deliberate errors, and driven by a hidden
risk.
"""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.uscc import Uscc
from privacy.city import CityReport, build
from privacy.city.codes import person_numbers, serials, uscc_codes, with_wrong_check
from privacy.city.dirt import KINDS
from privacy.city.patterns import matching_texts

CITY = Catalogue.load("city")
TODAY = date(2026, 11, 1)
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> CityReport:
    return build(tmp_path_factory.mktemp("city"), subjects=6_000, seed=7, today=TODAY)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> CityReport:
    return build(tmp_path_factory.mktemp("clean"), subjects=6_000, seed=7, today=TODAY, dirt=0)


def rows_of(report: CityReport, table: str, suffix: str = "") -> Rows:
    """The rows by English column name, without lines in another encoding."""
    return _read(report.folder, table, suffix)


@cache
def _read(folder: Path, table: str, suffix: str) -> Rows:
    columns = {field.name: field.column for field in CITY.table(table).fields}
    content = (folder / f"{table}{suffix}.csv").read_bytes()
    lines = [line for line in content.split(b"\n") if line and _is_utf8(line)]
    records = csv.DictReader(line.decode() for line in lines)
    return [{columns.get(name, name): value for name, value in row.items()} for row in records]


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _valid(code: str) -> bool:
    try:
        return Uscc.parse(code).code == code
    except Malformed:
        return False


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    def digests(name: str, seed: int) -> dict[str, str]:
        build(tmp_path / name, subjects=300, seed=seed, today=TODAY)
        files = {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}
        # A small city may have no record of what is rare: then the file is its header.
        return {name: hashlib.sha256(each).hexdigest() for name, each in files.items() if each.count(b"\n") > 1}

    first, again, other = digests("a", 1), digests("b", 1), digests("c", 2)
    assert first == again
    assert not set(first.values()) & set(other.values())


def test_chunks_never_share_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("privacy.city.building.CHUNK", 250)
    reported: list[tuple[int, int]] = []
    report = build(
        tmp_path, subjects=600, seed=3, today=TODAY, progress=lambda _, done, of: reported.append((done, of))
    )
    assert reported == [(250, 600), (500, 600), (600, 600)]
    codes = [row["subject_code"] for row in rows_of(report, "registration")]
    assert len(set(codes)) == 600
    documents = [row["document_number"] for row in rows_of(report, "administrative_licence")]
    assert len(documents) - len(set(documents)) == report.dirty_by_table["administrative_licence"]["duplicate"]


def test_every_subject_has_a_valid_code_of_its_kind(clean: CityReport) -> None:
    rows = rows_of(clean, "registration")
    assert len(rows) == 6_000
    kinds = {row["kind"] for row in rows if Uscc.parse(row["subject_code"]).kind != row["kind"]}
    assert not kinds
    assert all(row["subject_name"].startswith("海河虚构") for row in rows)
    assert 0.66 < np.mean([row["kind"] == "enterprise" for row in rows]) < 0.70
    assert 0.01 < np.mean([row["registered_on"] > "2026-05-01" for row in rows]) < 0.05


@pytest.mark.parametrize("table", sorted(CITY.tables))
def test_a_clean_row_obeys_the_catalogue(clean: CityReport, table: str) -> None:
    rows, declared = rows_of(clean, table), CITY.table(table)
    assert rows
    for field in declared.fields:
        values = [row[field.column] for row in rows]
        given = [value for value in values if value]
        if field.required:
            assert len(given) == len(values), field.column
        if field.enum:
            assert set(given) <= set(field.enum), field.column
        if field.max_length:
            assert max(map(len, given), default=0) <= field.max_length, field.column
        if field.type in ("number", "integer") and given:
            numbers = np.array(given, dtype=float)
            assert field.minimum is None or numbers.min() >= field.minimum
            assert field.maximum is None or numbers.max() <= field.maximum
        if field.type == "date" and field in (declared.time.happened, declared.time.known):
            assert max(given) <= TODAY.isoformat()
            assert not declared.time.known or table == "registration" or min(given) >= "2022-01-01"
    keys = [tuple(row[field.column] for field in declared.key) for row in rows]
    assert len(set(keys)) == len(keys)


def test_a_repair_names_a_record_that_is_there(clean: CityReport) -> None:
    stored = {
        (name, row["subject_code"], row[table.repair_document.column])
        for name, table in CITY.tables.items()
        if table.repair_document
        for row in rows_of(clean, name)
    }
    repairs = rows_of(clean, "credit_repair")
    assert len(repairs) > 100
    assert all((r["repaired_table"], r["subject_code"], r["document_number"]) in stored for r in repairs)


def test_dirt_of_each_kind_is_there_and_counted(city: CityReport, clean: CityReport) -> None:
    assert set(city.dirty) == set(KINDS)
    assert min(city.dirty.values()) >= 3
    assert 0.001 < sum(city.dirty.values()) / sum(city.rows.values()) < 0.005
    assert not clean.dirty
    wrong = other = 0
    for name, table in CITY.tables.items():
        wrong += sum(not _valid(row["subject_code"]) for row in rows_of(city, name))
        content = (city.folder / f"{table.name}.csv").read_bytes()
        other += sum(not _is_utf8(line) for line in content.split(b"\n"))
    assert wrong == city.dirty["wrong_check_digit"]
    assert other == city.dirty["other_encoding"]
    assert len(rows_of(city, "honour", "_returned")) == city.dirty["unknown_column"]
    fines = [float(row["fine"] or 0) for row in rows_of(city, "administrative_penalty")]
    beyond = sum(fine > (CITY.table("administrative_penalty").field("fine").maximum or 0) for fine in fines)
    assert beyond == city.dirty_by_table["administrative_penalty"]["wrong_unit"]
    assert json.loads((city.folder / "city.json").read_text()) == city.as_json()


def test_the_older_layout_has_its_own_file(city: CityReport) -> None:
    with (city.folder / "administrative_penalty_2015.csv").open(encoding="utf-8") as stream:
        header = next(csv.reader(stream))
        assert set(header) == set(CITY.table("administrative_penalty").layouts["2015"])
        assert len(list(stream)) > 30


def test_rates_are_those_of_a_large_city(clean: CityReport) -> None:
    firms = {row["subject_code"] for row in rows_of(clean, "registration") if row["kind"] == "enterprise"}

    def share(table: str, since: str = "") -> float:
        column = (CITY.table(table).time.happened or CITY.table(table).subject).column
        return len({row["subject_code"] for row in rows_of(clean, table) if row[column] >= since} & firms) / len(firms)

    assert 0.08 < share("administrative_penalty", "2024-11-01") < 0.12
    assert 0.004 < share("dishonest_judgment_debtor") < 0.012
    assert 0.002 < share("serious_dishonesty_list") < 0.007
    assert 0.03 < share("abnormal_operation_list") < 0.07
    assert 0.45 < share("loan_performance") < 0.56
    assert share("abnormal_operation_mark") == 0


def test_the_hidden_cause_shows(clean: CityReport) -> None:
    """Negative records before 2025 predict later overdue loans clearly better than chance, and not with certainty."""
    reports = [row for row in rows_of(clean, "loan_performance") if row["reported_on"] >= "2025-01-01"]
    later = {row["subject_code"] for row in reports if int(row["overdue_days"]) >= 90}
    borrowers = sorted({row["subject_code"] for row in reports})
    negative_records = dict.fromkeys(borrowers, 0.0)
    tables = ("administrative_penalty", "social_insurance_arrears", "utility_arrears", "judgment_debtor", "tax_arrears",
              "abnormal_operation_list", "abnormal_operation_mark")  # fmt: skip
    for table in tables:
        for row in rows_of(clean, table):
            if row["subject_code"] in negative_records and row["reached_on"] < "2025-01-01":
                negative_records[row["subject_code"]] += 1
    score = np.array([negative_records[code] for code in borrowers])
    bad = np.array([code in later for code in borrowers])
    wins = np.sign(score[bad][:, None] - score[~bad][None, :])
    assert 0.6 < (wins.mean() + 1) / 2 < 0.8
    half_years = {(row["subject_code"], row["reported_on"] < "2025-07-01") for row in reports}
    assert 0.03 < len(later) / len(half_years) < 0.08


def test_the_examples_are_active_and_the_penalised_one_has_a_recent_repairable_penalty(city: CityReport) -> None:
    registered = {row["subject_code"]: row for row in rows_of(city, "registration")}
    for name, kind in (("good_enterprise", "enterprise"), ("penalised_enterprise", "enterprise"),
                       ("individual_business", "individual_business")):  # fmt: skip
        subject = registered[city.examples[name]["code"]]
        assert (subject["status"], subject["kind"]) == ("存续", kind)
    example = city.examples["penalised_enterprise"]
    penalties = [r for r in rows_of(city, "administrative_penalty") if r["subject_code"] == example["code"]]
    fresh = [r for r in penalties if r["decided_on"] >= "2026-08-01"]
    assert len(fresh) >= 2
    assert all(r["record_state"] == "normal" and r["reached_on"] <= "2026-11-01" for r in fresh)
    repaired = {r["document_number"] for r in rows_of(city, "credit_repair")}
    assert example["repairable_document"] in {r["document_number"] for r in fresh} - repaired
    latest = max(fresh, key=lambda row: str(row["decided_on"]))
    assert (latest["document_number"], latest["severity"]) == (example["repairable_document"], "minor")
    bad = {r["subject_code"] for r in rows_of(city, "administrative_penalty")}
    assert city.examples["good_enterprise"]["code"] not in bad


def test_a_table_without_its_own_function_is_filled_from_its_constraints(tmp_path: Path) -> None:
    patents = yaml.safe_load("""
name: patent
title: 专利
source: 市知识产权局
openness: 社会公开
sharing: 无条件共享
usage: 可用于信用评价
file: "patent*.csv"
subject: 权利人代码
key: [专利号]
time: {happened: 授权日, known: 采集日期, ends: null}
fields:
  - {name: 专利号, column: patent_number, title: 专利号, type: string, required: true, max_length: 16, role: direct}
  - {name: 权利人代码, column: subject_code, title: 权利人代码, type: string, required: true, role: direct}
  - {name: 类型, column: patent_kind, title: 类型, type: string, required: true, enum: [发明, 实用新型], role: none}
  - {name: 主分类, column: class_code, title: 主分类号, type: string, pattern: '^[A-H]\\d{2}[A-Z]$', role: none}
  - {name: 授权日, column: granted_on, title: 授权日, type: date, required: true, role: quasi}
  - {name: 年费, column: fee, title: 年费, type: number, unit: 元, minimum: 90, maximum: 8000, role: none}
  - {name: 有效, column: alive, title: 是否有效, type: boolean, required: true, role: none}
  - {name: 采集日期, column: reached_on, title: 采集日期, type: date, required: true, role: none}
""")
    (tmp_path / "patent.yaml").write_text(yaml.safe_dump(patents, allow_unicode=True), encoding="utf-8")
    report = build(
        tmp_path / "out", subjects=200, seed=1, today=TODAY, catalogue=Catalogue.load("extra", tmp_path), dirt=0
    )
    with (report.folder / "patent.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert report.rows == {"patent": len(rows)}
    assert len({row["专利号"] for row in rows}) == len(rows) > 50
    assert all(_valid(row["权利人代码"]) and row["采集日期"] >= row["授权日"] for row in rows)
    assert all(90 <= float(row["年费"]) <= 8000 for row in rows if row["年费"])


def test_codes_made_by_the_thousand_are_right() -> None:
    count = 2000
    codes = uscc_codes(np.full(count, b"91"), np.full(count, b"120116"), serials(5, count, 11))
    assert len(set(codes.tolist())) == count
    assert all(_valid(code.decode()) for code in codes)
    assert not any(_valid(code.decode()) for code in with_wrong_check(codes))
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    for number in (n.decode() for n in person_numbers(np.random.default_rng(1), 200)):
        assert "10X98765432"[sum(int(a) * w for a, w in zip(number, weights, strict=False)) % 11] == number[17]


def test_patterns_are_met_or_refused() -> None:
    texts = matching_texts(np.random.default_rng(1), r"^[1-9]\d{5}20\d{2}[01]\d{1,3}X?$", 500).to_pylist()
    assert {len(each) for each in texts} <= {12, 13, 14, 15, 16}
    assert all(each[0] in "123456789" and each[6:8] == "20" for each in texts)
    with pytest.raises(Malformed):
        matching_texts(np.random.default_rng(1), "(a|b)", 3)
