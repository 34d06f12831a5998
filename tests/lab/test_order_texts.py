"""What travels in an order is our own text: no comment survives, and words that are no words are refused."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.canonical import canonical
from credit.errors import CreditError, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.shelf import Shelf
from lab.order_placement import place_order
from lab.order_texts import require_plain_texts
from models.features.feature_sql import written_order
from models.order.order import load_declaration
from tests.models import world

pytestmark = pytest.mark.attack
TERMS = world.terms()
SECRET = "9f" * 16
COMMENTS = (
    "-- {}\n",
    "/* {} */",
    "/* {} /* {} */ */",
    "--{}\n--{}\n",
    "/*+ {} */",
)
words = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="*/"), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(COMMENTS), words, st.integers(0, 200))
def test_no_comment_survives_at_any_place(form: str, text: str, place: int) -> None:
    """A comment goes between any two words of the SQL, in every form that SQL has."""
    order = world.order()
    marked = f"{SECRET}{text}"
    parts = order.sql.split(" ")
    where = place % len(parts)
    comment = form.replace("{}", marked)
    changed = " ".join([*parts[:where], comment, *parts[where:]])
    try:
        written = written_order(world.order(sql=changed), TERMS)
    except CreditError:
        return  # a comment that ends elsewhere than it seems is no SQL
    assert SECRET not in canonical(written.as_json()).decode()
    assert written == written_order(order, TERMS), "the order is the one without comments"


def test_writing_an_order_twice_changes_nothing() -> None:
    once = written_order(world.order(), TERMS)
    assert written_order(once, TERMS) == once


@pytest.mark.parametrize("kind", ["enterprise", "individual_business"])
def test_the_orders_of_the_house_are_plain(kind: str) -> None:
    require_plain_texts(load_declaration(Path("models/declarations") / f"{kind}.yaml"))


def blob(seed: int, size: int = 90) -> str:
    return base64.b64encode(bytes((seed * 7 + place * 31) % 256 for place in range(size))).decode()


HIDDEN: list[tuple[str, dict[str, Any]]] = [
    ("title", {"title": f"违约模型 {SECRET}"}),
    ("title", {"title": blob(1)}),
    ("title", {"title": "违约\u200b模型"}),
    ("title", {"title": "paypаl"}),  # a Cyrillic letter
    ("title", {"title": "电话 13812345678"}),
    ("model", {"model": "m" + SECRET}),
    ("model", {"model": "x7k2q9v4b8n3m6z1"}),
    ("grades", {"grades": [["A", 800], [blob(2, 30), 0]], "rules": []}),
]


@pytest.mark.parametrize(("where", "changes"), HIDDEN)
def test_words_that_carry_data_are_refused(where: str, changes: dict[str, Any]) -> None:
    order = written_order(world.order(**changes), TERMS)
    with pytest.raises(Refused) as refusal:
        require_plain_texts(order)
    assert SECRET not in str(refusal.value)


def hidden(way: str, payload: str) -> str:
    """The SQL with a payload in a literal, in many short literals, in a number, or in the name of a subquery."""
    sql = world.order().sql
    if way == "name":
        return re.sub(r"\bl\.", f'"{payload}".', sql.replace(") l ON", f') "{payload}" ON'))
    if way == "number":
        digits = str(int.from_bytes(payload.encode()[:12], "big"))
        waste = f"0 * {digits}"
    elif way == "literals":
        parts = [payload[at : at + 40] for at in range(0, len(payload), 40)] * 40
        waste = " + ".join(f"CASE WHEN '{part}{place}' = '' THEN 1 ELSE 0 END" for place, part in enumerate(parts))
    else:
        waste = f"CASE WHEN '{payload}' = '' THEN 1 ELSE 0 END"
    return sql.replace("count(*) AS reports", f"count(*) + {waste} AS reports")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["literal", "literals", "number", "name"]))
def test_data_in_literals_and_names_of_sql_is_refused(seed: int, way: str) -> None:
    order = written_order(world.order(sql=hidden(way, blob(seed))), TERMS)
    with pytest.raises(Refused):
        require_plain_texts(order)


def test_sixty_pseudonyms_in_comments_do_not_reach_the_seal(
    shelf: Shelf, keys: dict[str, SigningKey], ring: KeyRing, tmp_path: Path
) -> None:
    """And twenty thousand characters of base64 neither."""
    rows = {"registration": [world.firm(world.subject(1))]}
    release = world.release(shelf, keys["custody"], rows)
    ledger = Ledger(tmp_path / "ledger.jsonl", keys["research"], ring)
    secrets = [f"{number:032x}" for number in range(60)]
    comments = "\n".join(f"-- {each}" for each in [*secrets, *(blob(n, 300) for n in range(50))])
    given: dict[str, Any] = {
        "release": release, "shelf": shelf, "key": keys["research"], "by": world.ALICE, "ledger": ledger,
        "today": world.AS_OF,
    }  # fmt: skip
    seal = place_order(world.order(sql=f"{comments}\n{world.order().sql}"), **given)
    assert seal.id == place_order(world.order(), **given).id
    travelled = b"".join(file.read_bytes() for file in shelf.open(seal.id).path.iterdir()).decode()
    assert not any(secret in travelled for secret in secrets)
    assert blob(1, 300)[:40] not in travelled
