"""A release has exactly the records that may leave, and the gate refuses data that may not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from credit.errors import Malformed, Missing, Refused
from credit.seal import Kind, Seal
from credit.subjects import PseudonymKey
from privacy.disclosure import Column, DisclosedTable, Disclosure, release_gate
from privacy.release.policy import Policy
from privacy.repair import repair
from tests.privacy.small_custody import CITY, PLATFORM, TODAY, House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"


def penalties(house: House, *rows: str, subjects: int = 40) -> None:
    house.bring(registration=register_of(subjects), administrative_penalty=HEAD + "".join(f"{row}\n" for row in rows))


def rows_of(house: House, seal: Seal, table: str = "administrative_penalty") -> list[dict[str, object]]:
    place = house.shelf.open(seal.id).path / table
    return [row for path in sorted(place.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_it_has_the_contents_of_the_contract(house: House) -> None:
    penalties(house, f"{code(1)},D1,2024-03-15,2024-03-20,2030-01-10,5,minor,normal,quiet")
    seal = house.release()
    [row] = rows_of(house, seal)
    assert row == {
        "subject": PseudonymKey("research", b"research".ljust(32, b"-")).hex_of(code(1)),
        "decided_on": date(2024, 3, 1),
        "reached_on": date(2024, 4, 1),
        "published_until": date(2030, 2, 1),
        "fine": 1.0,
        "severity": "minor",
        "note": "quiet",
        "_happened": date(2024, 3, 1),
        "_known": date(2024, 4, 1),
        "_ends": date(2030, 2, 1),
    }
    assert seal.kind is Kind.RELEASE
    assert seal.terms["buckets"] == 1
    assert seal.terms["invented"] is True
    assert seal.terms["tables"]["administrative_penalty"]["columns"]["_happened"] == "DATE"
    assert seal.expires_on == date(2027, 4, 30)
    assert [entry.verb for entry in house.ledger.about(seal.id)] == ["release.made"]
    assert code(1) not in (house.root / "ledger.jsonl").read_text()


def test_the_same_records_and_keys_give_the_same_id(house: House) -> None:
    penalties(house, *(f"{code(n)},D{n},2024-03-{n % 28 + 1:02},,,{n % 7},minor,normal," for n in range(40)))
    assert house.release().id == house.release().id


def test_research_and_scoring_cannot_be_joined(house: House) -> None:
    penalties(house, f"{code(1)},D1,2024-03-15,,,5,minor,normal,")
    research, scoring = (rows_of(house, house.release(purpose)) for purpose in ("research", "scoring"))
    assert research[0]["subject"] != scoring[0]["subject"]
    assert scoring[0]["decided_on"] == date(2024, 3, 15)


def test_what_may_not_leave_stays(house: House) -> None:
    penalties(
        house,
        f"{code(1)},NORMAL,2024-03-15,,,5,minor,normal,",
        f"{code(2)},DISPUTED,2024-03-15,,,5,minor,disputed,",
        f"{code(3)},ENDED,2024-03-15,,2026-11-01,5,minor,normal,",
        f"{code(4)},LATER,2024-03-15,2026-10-31,,5,minor,normal,",
        f"{code(5)},REPAIRED,2024-03-15,,,5,general,normal,",
    )
    shared = {"catalogue": house.catalogue, "vault": house.vault, "ledger": house.ledger, "by": CITY}
    with pytest.raises(Refused, match="3 months"):
        repair("REPAIRED", **shared, on=date(2024, 6, 14))
    with pytest.raises(Missing):
        repair("NOTHING", **shared, on=TODAY)
    before = house.release("scoring", as_of=date(2026, 10, 30))
    assert before.terms["left_out"]["administrative_penalty"] == {"disputed": 1, "later": 1}
    repair("REPAIRED", **shared, on=date(2024, 6, 15))
    with pytest.raises(Refused, match="already"):
        repair("REPAIRED", **shared, on=TODAY)
    seal = house.release("scoring")
    assert seal.terms["left_out"]["administrative_penalty"] == {"disputed": 1, "ended": 1, "repaired": 1}
    kept = {PseudonymKey("scoring", b"scoring".ljust(32, b"-")).hex_of(code(n)) for n in (1, 4)}
    assert {row["subject"] for row in rows_of(house, seal)} == kept
    research = house.release("research")
    assert research.terms["left_out"]["administrative_penalty"] == {"disputed": 1, "repaired": 1}, (
        "views hide the ended"
    )
    assert "credit_repair" not in seal.terms["tables"]
    ledger_text = (house.root / "ledger.jsonl").read_text()
    assert "record.repaired" in ledger_text
    assert "REPAIRED" not in ledger_text


@pytest.mark.parametrize(
    ("note", "kind"),
    [
        (f"见{code(7)}一案", "uscc"),
        (code(7).lower(), "uscc"),
        (f"{code(7)[:8]} {code(7)[8:13]}-{code(7)[13:]}", "uscc"),
        ("身份证11010519491231002X。", "id_number"),
        ("电话１３８１２３４５６７８", "phone"),
        ("tel +86 138-1234-5678", "phone"),
    ],
)
def test_the_gate_refuses_an_identifier_in_a_kept_text(house: House, note: str, kind: str) -> None:
    penalties(house, f"{code(1)},D1,2024-03-15,,,5,minor,normal,{note}")
    with pytest.raises(Refused) as refused:
        house.release()
    [finding] = refused.value.findings
    assert finding.evidence == {"administrative_penalty.note": {kind: 1}}
    assert note not in str(refused.value)
    assert house.shelf.list(Kind.RELEASE) == []


def test_small_classes_are_recoded_and_too_small_ones_suppressed(house: House) -> None:
    lonely = f"{code(900)},孤,蓟州,1990-01-01,存续\n"
    house.bring(registration=register_of(40) + lonely)
    seal = house.release()
    rows = rows_of(house, seal, "registration")
    assert len(rows) == 40
    assert seal.terms["generalised"]["registration"]["suppressed_subjects"] == 1
    classes: dict[object, int] = {}
    for row in rows:
        classes[row["district"], row["registered_on"]] = classes.get((row["district"], row["registered_on"]), 0) + 1
    assert min(classes.values()) >= 5
    assert len(rows_of(house, house.release("scoring"), "registration")) == 41


def test_the_gate_refuses_small_classes_names_and_strange_columns() -> None:
    gate = release_gate({"k": 5, "small_cell": 5})
    columns = (
        Column("subject", ["0" * 32, "not one"], role="direct", rule="subject"),
        Column("district", ["a", "*"], role="quasi", cells={"a": 4, "*": 1}),
        Column("fine_person_name"),
        Column("extra", declared=False),
    )
    verdict = gate.judge(Disclosure((DisclosedTable("t", columns),), (5, 4)), requested_by=PLATFORM, reviewer=CITY)
    assert [finding.check for finding in verdict.findings if finding.outcome == "fail"] == [
        "k-anonymity",
        "small cells",
        "direct identifiers by name",
        "subjects are pseudonyms",
        "declared columns",
    ]
    with pytest.raises(Refused):
        gate.judge(Disclosure(()), requested_by=CITY, reviewer=CITY)


def test_nothing_stored_or_another_key_or_purpose(house: House) -> None:
    with pytest.raises(Missing):
        house.release()
    house.bring(registration=register_of(9))
    with pytest.raises(Malformed):
        house.release("curiosity")


@pytest.mark.parametrize("limits", [(30, 500_000), (10_000, 30)], ids=["subjects", "rows"])
def test_buckets_are_within_the_limits_of_the_policy(house: House, limits: tuple[int, int]) -> None:
    house.bring(registration=register_of(300))
    policy = Policy.load()
    small = Policy(policy.purposes, policy.bucket_sizes, *limits)
    seal = house.release("scoring", policy=small)
    assert seal.terms["buckets"] in (16, 64)
    place = house.shelf.open(seal.id).path / "registration"
    buckets = int(seal.terms["buckets"])
    assert len(list(place.iterdir())) == buckets
    for number, path in enumerate(sorted(place.iterdir())):
        keys = pq.read_table(path).column("subject").to_pylist()
        assert len(keys) <= 30
        assert all(int(key[:2], 16) * buckets // 256 == number for key in keys)


def test_a_killed_release_leaves_nothing_half_made(house: House) -> None:
    penalties(house, f"{code(1)},D1,2024-03-15,,,5,minor,normal,")
    script = textwrap.dedent(f"""
        import os, signal, sys
        from datetime import date
        from pathlib import Path
        from credit.actor import Actor
        from credit.catalogue import Catalogue
        from credit.keys import KeyRing, SigningKey
        from credit.ledger import Ledger
        from credit.shelf import Shelf
        from credit.subjects import PseudonymKey
        from privacy.release.release import release
        from privacy.release.policy import Policy
        from privacy.vault import Vault
        root = Path({str(house.root)!r})
        key = SigningKey.load(root / "keys", "custody")
        ring = KeyRing.of(key)
        def progress(doing, done, total):
            if done == total - 1:
                os.kill(os.getpid(), signal.SIGKILL)
        release(purpose="research", catalogue=Catalogue.load("tiny", root / "catalogue"),
                vault=Vault(root / "vault", b"v" * 32), policy=Policy.load(), shelf=Shelf(root / "shelf", ring),
                key=key, pseudonym_key=PseudonymKey("research", b"research".ljust(32, b"-")),
                ledger=Ledger(root / "ledger.jsonl", key, ring), by=Actor.parse("platform:li"),
                as_of=date(2026, 11, 1), invented=True, progress=progress)
    """)
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    assert ended.returncode == -signal.SIGKILL
    assert house.shelf.list(Kind.RELEASE) == []
    assert not any(entry.verb == "release.made" for entry in house.ledger.entries())
    seal = house.release()
    assert house.release().id == seal.id
    assert not list((house.root / "shelf" / ".making").iterdir())
