"""The SQL check of a code agrees with ``Uscc.parse`` for every text, and the SQL kind with ``Uscc.kind``."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed
from credit.subjects import SubjectKind
from credit.uscc import ALPHABET, Uscc, compose
from credit.vouched_codes import vouched_codes
from privacy.duckdb_engine import Engine, engine
from privacy.intake import uscc_sql

SERIAL = st.text(ALPHABET, min_size=8, max_size=8)
CODES = st.builds(lambda p, s: compose(p, "120104", s).code, st.text(ALPHABET, min_size=2, max_size=2), SERIAL)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), max_size=20)


def spoiled(code: str, place: int, char: str) -> str:
    return code[:place] + char + code[place + 1 :]


TEXTS = st.one_of(
    CODES,
    st.sampled_from(sorted(vouched_codes())),
    CODES.map(str.lower),
    CODES.map(lambda code: f" {code}\t"),
    st.builds(spoiled, CODES, st.integers(0, 17), st.sampled_from(ALPHABET + "IOSVZ中1")),
    st.text(ALPHABET + "IOZSV", min_size=17, max_size=19),
    ANY,
)


def parses(text: str) -> bool:
    try:
        Uscc.parse(text)
    except Malformed:
        return False
    return True


@pytest.fixture(scope="module")
def run() -> Iterator[Engine]:
    with engine() as opened:
        yield opened


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=60))
def test_sql_equals_parse(run: Engine, texts: list[str]) -> None:
    kinds = {SubjectKind.ENTERPRISE, SubjectKind.INDIVIDUAL_BUSINESS}
    run.register("given", pa.table({"t": texts}))
    run.execute(f"CREATE OR REPLACE TABLE told AS SELECT t, {uscc_sql.canonical('t')} AS c FROM given")
    run.unregister("given")
    rows = run.rows(f"SELECT t, c, {uscc_sql.fault('c')} IS NULL, {uscc_sql.of_kinds('c', kinds)} FROM told")
    for text, canonical, good, fits in rows:
        assert good == parses(text)
        if good:
            assert canonical == Uscc.parse(text).code
            assert fits == (Uscc.parse(text).kind in kinds)
