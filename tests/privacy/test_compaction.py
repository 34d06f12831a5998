"""A compacted period has the rows that it had, in one file; an intake after it compares with them as before."""

from __future__ import annotations

from privacy.compaction import compact
from tests.privacy.small_custody import House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
TABLE = "administrative_penalty"


def delivery(day: int, *numbers: int) -> str:
    rows = (f"{code(n)},D{n},2024-03-01,2024-04-{day:02d},,{day},minor,normal,\n" for n in numbers)
    return HEAD + "".join(rows)


def rows(house: House) -> list[str]:
    return sorted(map(str, house.vault.read(TABLE).to_pylist()))


def test_a_scattered_period_becomes_one_file_with_the_same_rows(house: House) -> None:
    house.bring(registration=register_of(9), administrative_penalty=delivery(1, *range(6)))
    house.bring(administrative_penalty=delivery(2, 0, 1))
    house.bring(administrative_penalty=delivery(3, 1, 7))
    before = rows(house)
    assert compact(house.vault, most_files=9, most_replaced=0.9) == 0
    assert compact(house.vault, most_files=2, most_replaced=0.9) == 1
    assert rows(house) == before
    [file] = house.vault.files().of(TABLE)
    assert (file.rows, file.replaced_rows) == (7, 0)
    assert compact(house.vault, most_files=2, most_replaced=0.9) == 0
    assert not house.bring(administrative_penalty=delivery(3, 1, 7)).changed
    assert house.bring(administrative_penalty=delivery(4, 1)).tables[TABLE].updated == 1
    with house.vault.exclusive():
        assert len(list((house.vault.folder / TABLE).rglob("*.parquet"))) == 3  # one, a new one, and its replaced row


def test_many_replaced_rows_are_removed_and_a_period_without_rows_has_no_file(house: House) -> None:
    house.bring(registration=register_of(9), administrative_penalty=delivery(1, 1))
    house.bring(administrative_penalty=delivery(2, 1))
    assert compact(house.vault) == 1
    [file] = house.vault.files().of(TABLE)
    assert (file.rows, file.replaced_rows) == (1, 0)
