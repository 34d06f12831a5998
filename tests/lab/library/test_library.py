"""The library shows granted practice tables as of a day, marked as invented, explains errors in words, and is quick."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

import lab
from credit.errors import Malformed, Missing, Refused
from lab.library import gateway_client, read_report
from lab.library.workspace_data import practice
from models.order.order import Order
from tests.lab.running_gateway import House

PENALTIES = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"


def test_the_import_loads_nothing_and_so_is_quick() -> None:
    code = (
        "import sys; before = set(sys.modules); import lab; loaded = set(sys.modules) - before; "
        "others = {name.partition('.')[0] for name in loaded} - set(sys.stdlib_module_names); "
        "print(others, len(loaded) < 60, lab.__dir__() == sorted(lab.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'lab'} True True"


def test_every_name_it_offers_is_there() -> None:
    for name in lab.__all__:
        assert callable(getattr(lab, name)), name
        assert getattr(lab, name).__doc__, name
    with pytest.raises(AttributeError, match="lab has no tarin"):
        getattr(lab, "tarin")  # noqa: B009


def test_the_library_works_where_only_four_packages_are(kernel: House, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    for name in ("credit", "lab", "models", "privacy"):
        (tmp_path / name).symlink_to(root / name)
    code = (
        "import sys, lab\n"
        "lab.sql('SELECT 1 AS one FROM registration LIMIT 1'); lab.catalogue(); lab.check(" + repr(PENALTIES) + ")\n"
        "lab.order(sql="
        + repr(PENALTIES)
        + ", keep=[]); lab.features("
        + repr(PENALTIES)
        + "); lab.runs(); lab.parcels()\n"
        "import lab.library.export, lab.library.comparison, lab.library.display.plots\n"
        "top = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(top & {'infra', 'serving', 'ray', 'mlflow', 'lightgbm'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("day", [date(2023, 9, 1), date(2024, 7, 1), date(2025, 12, 1), date(2026, 3, 1)])
def test_a_view_shows_what_had_happened_and_was_known_and_nothing_else(kernel: House, day: date) -> None:
    current = practice()
    rows = lab.sql("SELECT subject, decided_on, fine FROM administrative_penalty ORDER BY ALL", as_of=day)
    with duckdb.connect() as run:
        kept = run.execute(
            f"SELECT subject, decided_on, fine FROM read_parquet('{current.files('administrative_penalty')}') "
            f"WHERE _happened < DATE '{day}' AND _known <= DATE '{day}' AND coalesce(_ends > DATE '{day}', true) "
            "ORDER BY ALL"
        ).fetchall()
    assert [tuple(row.values()) for row in rows.arrow().to_pylist()] == kept
    assert len(rows) == len(rows.pandas()) == len(rows.polars())


def test_todays_columns_of_a_register_are_hidden_on_an_earlier_day(kernel: House) -> None:
    assert "status" in lab.sql("SELECT * FROM registration LIMIT 1").columns
    assert "status" not in lab.sql("SELECT * FROM registration LIMIT 1", as_of="2024-01-01").columns
    with pytest.raises(Malformed, match="of the tables' own day"):
        lab.sql("SELECT status FROM registration", as_of="2024-01-01")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "SELECT count(*) FROM administrative_penlty",
            "no table administrative_penlty.*Did you mean administrative_penalty",
        ),
        ("SELECT a.fin FROM administrative_penalty a", "no column fin.*Did you mean fine"),
        ("SELECT yeer(decided_on) FROM administrative_penalty", "no function yeer.*Did you mean"),
        ("SELECT count(* FROM registration", "cannot run.*syntax error"),
        ("DROP TABLE registration", "takes one SELECT"),
        ("SELECT 1; SELECT 2", "takes one SELECT.*2 statements"),
        ("", "takes one SELECT"),
    ],
)
def test_a_wrong_query_is_refused_with_a_hint(kernel: House, query: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        lab.sql(query)


def test_a_table_that_is_not_granted_is_named_as_such(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIHE_LAB_DATA", str(house.mounted(tmp_path / "data", ("registration",))))
    with pytest.raises(Malformed, match="administrative_penalty is not granted"):
        lab.sql("SELECT 1 FROM administrative_penalty")
    with pytest.raises(Malformed, match="table administrative_penalty is not granted"):
        lab.check(PENALTIES)


def test_a_day_after_the_tables_is_refused(kernel: House) -> None:
    with pytest.raises(Malformed, match="no data of 2026-03-02"):
        lab.sql("SELECT 1 FROM registration", as_of="2026-03-02")
    with pytest.raises(Malformed, match="not a date"):
        lab.features(PENALTIES, as_of="soon")


def test_every_result_is_marked_as_invented(kernel: House) -> None:
    """A person who reads a result, or what was made of it, sees that no real subject stands behind it."""
    look: Any = lab.features(PENALTIES)
    results: list[Any] = [lab.sql("SELECT kind FROM registration"), lab.sample(5), look, look.summary()]
    for each in results:
        assert each.invented is True
        assert "invented 虚构" in repr(each)
        assert "invented 虚构" in each._repr_html_()
        assert each.pandas().attrs["invented"] is True
        assert each.arrow().schema.metadata[b"invented"] == b"true"
    shown = lab.catalogue()
    for described in (shown, lab.catalogue("penalty"), shown.registration):
        assert "invented 虚构" in repr(described)
        assert "invented 虚构" in described._repr_html_()


def test_a_workspace_knows_the_days_of_records_and_has_none(kernel: House) -> None:
    """The release for compute is known by its id, day and granted tables; what lies here is the practice tables."""
    (only,) = lab.releases()
    assert (only.id, only.as_of) == (kernel.release.seal.id, date(2026, 3, 1))
    assert set(only.tables) == set(practice().granted)
    assert practice().id == kernel.practice.seal.id != only.id


def test_more_rows_than_requested_are_not_fetched(kernel: House) -> None:
    fetched = lab.sql("SELECT * FROM loan_performance", most=10)
    assert (len(fetched), fetched.whole) == (10, False)
    assert "there are more" in repr(fetched)
    assert lab.sql("SELECT * FROM loan_performance LIMIT 10", most=10).whole


def test_samples_by_one_seed_speak_of_the_same_subjects(kernel: House) -> None:
    firms = lab.sample(40, seed=3)["subject"]
    fines = lab.sample(60, seed=3, table="administrative_penalty")["subject"]
    assert set(fines) <= set(lab.sample(200, seed=3)["subject"])
    in_order = [each for each in firms if each in fines]
    assert in_order == [each for each in dict.fromkeys(fines) if each in firms]
    with pytest.raises(Malformed, match="no table penalty"):
        lab.sample(5, table="penalty")
    with pytest.raises(Malformed, match="size of a sample"):
        lab.sample(0)


def test_features_of_a_look_are_those_of_a_plain_count(kernel: House) -> None:
    look = lab.features(PENALTIES, as_of="2025-01-01").pandas().set_index("subject")["penalties"]
    plain = lab.sql(PENALTIES, as_of="2025-01-01").pandas().set_index("subject")["penalties"]
    assert look.dropna().astype(int).to_dict() == plain.to_dict()
    assert len(look) == 200
    few = lab.features(PENALTIES, subjects=10)
    assert not few.whole
    assert 10 <= len(few) < 200


def test_tables_read_are_collected_and_reported_once(kernel: House) -> None:
    read_report.take()
    lab.sql("WITH a AS (SELECT subject FROM Registration) SELECT count(*) FROM a")
    lab.features(PENALTIES)
    assert read_report.take() == ["administrative_penalty", "registration"]
    assert read_report.take() == []


def test_an_order_joins_ones_own_features_to_the_bases(kernel: House) -> None:
    made = lab.order(
        sql=PENALTIES, features=["penalties"], keep=[], training={"trials": 1}, observe={"last": "2025-07-01"}
    )
    assert isinstance(made.order, Order)
    assert (made.own, made.order.names, made.order.training.trials) == (("penalties",), ("penalties",), 1)
    assert made.order.rules == ()
    with pytest.raises(Malformed, match=r"has no trainig. Did you mean training"):
        lab.order(sql=PENALTIES, keep=[], trainig={"trials": 1})
    with pytest.raises(Malformed, match=r"does not give the feature penalty. Did you mean penalties"):
        lab.order(sql=PENALTIES, features=["penalty"], keep=[])
    with pytest.raises(Malformed, match=r"no declaration enterprises. Did you mean enterprise"):
        lab.order("enterprises")
    with pytest.raises(Malformed, match=r"no feature tax_lvel. Did you mean tax_level"):
        lab.order(sql=PENALTIES, keep=["tax_lvel"])
    with pytest.raises(Malformed, match="the release has no table"):
        lab.order()


def test_outside_a_workspace_the_error_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIHE_LAB_DATA", str(tmp_path))
    monkeypatch.setenv("HAIHE_LAB_GATEWAY", str(tmp_path / "gateway.sock"))
    with pytest.raises(Missing, match=r"no practice tables here.*haihe practice"):
        lab.sql("SELECT 1")
    with pytest.raises(Missing, match="gateway does not answer"):
        lab.me()
    gateway_client.close()


def test_a_refusal_of_the_gateway_is_an_error_of_ours(kernel: House) -> None:
    with pytest.raises(Missing, match="no such order"):
        lab.run("order-none")
    with pytest.raises(Malformed, match="0 runs"):
        lab.compare()
    run = lab.train(lab.order(sql=PENALTIES, keep=[], training={"seed": time.time_ns() % 10**6}), wait=False)
    with pytest.raises(Missing, match="has no evidence: it is waiting"):
        _ = run.evidence
    with pytest.raises(Missing, match="has no evidence"):
        lab.compare(run)
    assert run.cancel().state == "cancelled"
    with pytest.raises(Refused, match="cannot be cancelled"):
        run.cancel()


def test_html_escapes_values_and_has_headers_and_captions(kernel: House) -> None:
    shown: Any = lab.sql("SELECT '<script>alert(1)</script>' AS \"<b>\"")
    page = shown._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert '<th scope="col"' in page
    assert "<caption" in page
    for each in (lab.me(), lab.catalogue(), lab.catalogue().registration, lab.runs(), lab.parcels(), lab.notices()):
        page = each._repr_html_()
        assert page
        assert "color:#" not in page, "a fixed colour does not suit every theme"


def test_names_are_completed(kernel: House) -> None:
    shown = lab.catalogue()
    assert "administrative_penalty" in dir(shown)
    assert "fine" in dir(shown.administrative_penalty)
    assert shown["registration"].registered_on.title == "成立日期"
    with pytest.raises(AttributeError, match="has no column fin; it has"):
        _ = shown.administrative_penalty.fin
    assert {"table", "column", "rule"} <= set(shown.to_pandas().columns)
