"""A file of Parquet made to hurt is refused in words, in time and within bounds, and hurts no other's file."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit.errors import Malformed
from credit.messages import Text
from serving.endpoints.batch_jobs.job_files import _PARQUET, _TOO_COSTLY, JobFiles
from serving.endpoints.batch_jobs.parquet import read
from serving.errors import Overloaded
from serving.processes.subprocess_worker import SubprocessWorker, WorkerDied
from serving.processes.worker_loop import InvalidTask
from serving.responses.job_columns import INPUT_COLUMNS, MAX_BYTES, MAX_LINES, PARQUET

pytestmark = pytest.mark.attack
ROW = ("91120116MA0000001X", "credit_granting", "mandate-" + "0" * 32)


def made(columns: dict[str, Any] | pa.Table, **more: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), out, **more)
    return out.getvalue()


def honest(rows: int = 100, **more: Any) -> bytes:
    return made(
        {name: pa.array([value] * rows, pa.string()) for name, value in zip(INPUT_COLUMNS, ROW, strict=True)}, **more
    )


def text(*values: Any) -> Any:
    return pa.array(values, pa.string())


def varint(number: int, width: int = 0) -> bytes:
    """A number as Thrift's compact protocol writes it (zigzag, seven bits a byte), filled up to `width` bytes."""
    zigzag, encoded = number << 1, b""
    while zigzag > 127 or len(encoded) + 1 < width:
        encoded, zigzag = encoded + bytes([zigzag & 127 | 128]), zigzag >> 7
    return encoded + bytes([zigzag])


def lying(body: bytes, lies: dict[int, int], most: int | None = None) -> bytes:
    """The body with other numbers in its footer, the first `most` of each, at the same length."""
    size = int.from_bytes(body[-8:-4], "little")
    before, footer, after = body[: -8 - size], body[-8 - size : -8], body[-8:]
    for truth, lie in lies.items():
        original = b"\x16" + varint(truth)  # an i64 in the field after the last
        assert original in footer
        footer = footer.replace(original, b"\x16" + varint(lie, len(original) - 1), most if most is not None else -1)
    return before + footer + after


def bomb(rows: int = 3_000_000) -> bytes:
    one = pa.array(["xyz"], pa.string())
    columns = {
        name: pa.DictionaryArray.from_arrays(pa.array(bytearray(rows), pa.int8()), one) for name in INPUT_COLUMNS
    }
    return made(columns, row_group_size=rows, write_statistics=False)


def unpacking(size: int) -> bytes:
    return made({name: text("x" * size) for name in INPUT_COLUMNS}, compression="zstd", use_dictionary=False,
                write_statistics=False)  # fmt: skip


def sizes(body: bytes) -> list[int]:
    group = pq.ParquetFile(io.BytesIO(body)).metadata.row_group(0)
    columns = [group.column(place).total_uncompressed_size for place in range(len(INPUT_COLUMNS))]
    return list(dict.fromkeys([group.total_byte_size, *columns]))


def lying_bomb() -> bytes:
    body = bomb()
    size = int.from_bytes(body[-8:-4], "little")
    original, lie = (b"\x16" + varint(number, 4) for number in (3_000_000, 1000))
    before, footer = body[: -8 - size], body[-8 - size : -8]
    assert footer.count(original) == 5  # of three columns, of their group, of the file
    return before + lie.join(footer.rsplit(original, 1)).replace(original, lie, 1) + body[-8:]


def small_by_its_own_word() -> bytes:
    body = unpacking(100 << 20)
    assert len(body) < 100_000
    return lying(body, dict.fromkeys(sizes(body), 1000))


def one_value_many_times() -> bytes:
    value = pa.array(["x" * (8 << 20)], pa.string())
    columns = {
        name: pa.DictionaryArray.from_arrays(pa.array(bytearray(MAX_LINES), pa.int8()), value) for name in INPUT_COLUMNS
    }
    body = made(columns, compression="zstd", write_statistics=False)
    return lying(body, dict.fromkeys(sizes(body), 1000))


def hiding_its_types() -> bytes:
    table = pa.table({name: pa.array([b"\xff\xfe"], pa.binary()) for name in INPUT_COLUMNS})
    arrow = pa.schema([pa.field(name, pa.string()) for name in INPUT_COLUMNS]).serialize().to_pybytes()
    return made(table.replace_schema_metadata({b"ARROW:schema": arrow}), store_schema=False)


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "unreadable"),
    "magic alone": (lambda: b"PAR1PAR1", "unreadable"),
    "text": (lambda: b"uscc,purpose,mandate\n", "unreadable"),
    "an encrypted footer": (lambda: b"PARE" + honest()[4:-4] + b"PARE", "unreadable"),
    "a footer longer than the file": (lambda: honest()[:-8] + b"\xff\xff\xff\x7fPAR1", "unreadable"),
    "a column more": (lambda: made(dict.fromkeys((*INPUT_COLUMNS, "name"), text("x"))), "columns"),
    "a column less": (lambda: made(dict.fromkeys(INPUT_COLUMNS[:2], text("x"))), "columns"),
    "a column twice": (lambda: made(pa.Table.from_arrays([text("x")] * 3, ["uscc", "uscc", "mandate"])), "columns"),
    "a thousand columns": (lambda: made({f"c{n}": text("x") for n in range(1000)}), "columns"),
    "names of another case": (lambda: made({name.upper(): text("x") for name in INPUT_COLUMNS}), "columns"),
    "numbers": (lambda: made(dict.fromkeys(INPUT_COLUMNS, pa.array([91120116]))), "types"),
    "bytes": (lambda: made(dict.fromkeys(INPUT_COLUMNS, pa.array([b"\xff"]))), "types"),
    "bytes that say they are text": (hiding_its_types, "types"),
    "a list": (lambda: made({**dict.fromkeys(INPUT_COLUMNS, text("x")), "uscc": pa.array([["x", "y"]])}), "types"),
    "a struct": (lambda: made({**dict.fromkeys(INPUT_COLUMNS, text("x")), "uscc": pa.array([{"uscc": "x"}])}), "types"),
    "a struct of three": (lambda: made({"uscc": pa.array([dict.fromkeys(INPUT_COLUMNS, "x")])}), "columns"),
    "no row": (lambda: honest(0), "rows"),
    "a row too many": (lambda: honest(MAX_LINES + 1), "rows"),
    "rows by the million": (bomb, "rows"),
    "rows by the million that it does not tell of": (lying_bomb, "rows"),
    "more rows stated than there are": (lambda: lying(honest(), {100: 300}), "rows"),
    "two words on how many rows": (lambda: lying(honest(), {100: 90}, 1), "rows"),
    "a tiny file of much text": (lambda: unpacking(100 << 20), "large"),
    "a tiny file of much text that it does not tell of": (small_by_its_own_word, "large"),
    "a value of megabytes on every row": (one_value_many_times, "large"),
    "ten thousand row groups": (lambda: honest(10_001, row_group_size=1), "groups"),
}  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[SubprocessWorker]:
    made = SubprocessWorker("serving.endpoints.batch_jobs.parquet", seconds=60, most=1 << 26)
    yield made
    made.close()


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_in_words(reader: SubprocessWorker, name: str) -> None:
    make, words = CASES[name]
    body = make()
    assert len(body) <= MAX_BYTES
    with pytest.raises((InvalidTask, WorkerDied)) as refused:
        asyncio.run(reader.run(b"r" + body))
    reason = str(refused.value) if refused.type is InvalidTask else "fell"
    assert reason in words.split()
    assert asyncio.run(reader.run(b"r" + honest(3))).count(b"\n") == 4


def test_a_file_with_false_metadata_costs_no_more_than_its_limits(reader: SubprocessWorker) -> None:
    answer = asyncio.run(reader.run(b"r" + lying(bomb(), {3_000_000: 1000})))
    assert answer.count(b"\n") == 1001


def test_cut_off_anywhere_it_is_refused() -> None:
    body = honest()
    for end in random.Random(1).sample(range(len(body)), 150):
        with pytest.raises(InvalidTask):
            read(body[:end])


def test_with_a_byte_changed_it_is_refused_or_read_and_never_more_than_its_rows(reader: SubprocessWorker) -> None:
    body, chance, fell = honest(compression="zstd"), random.Random(2), 0
    words: set[str] = set()
    for _ in range(300):
        mutant = bytearray(body)
        for _ in range(chance.choice((1, 1, 3))):
            mutant[chance.randrange(4, len(body) - 4)] = chance.randrange(256)
        try:
            answer = asyncio.run(reader.run(b"r" + bytes(mutant)))
        except InvalidTask as bad:
            words.add(str(bad))
        except WorkerDied:
            fell += 1
        else:
            assert answer.startswith(b"uscc,purpose,mandate\n")
            assert answer.count(b"\n") - 1 <= MAX_LINES
    assert words <= set(_PARQUET)
    assert fell < 100


def test_the_refusal_quotes_nothing_of_the_file_and_the_next_file_is_accepted(bank: Any) -> None:
    headers = {"Authorization": f"Bearer {bank.running.token()}", "Content-Type": PARQUET}

    def send(body: bytes) -> Any:
        return bank.running.http.post("/v1/jobs", content=body, headers=headers)

    for name in ("a column more", "text", "a tiny file of much text"):
        make, word = CASES[name]
        answer = send(make())
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert (answer.json()["detail"], answer.json()["remedy"]) == texts_of(_PARQUET[word])
    assert send(b"PAR1" + b"\x00" * MAX_BYTES).status_code == 413
    assert send(b"PAR1" + b"\x00" * (100 << 20)).status_code == 413
    assert bank.files_left() == set()
    assert send(honest(3)).json()["lines"] == 3
    assert len(bank.running.entries("score.refused")) == 5


def test_one_file_per_bank_is_read_at_a_time_and_one_that_kills_its_reader_is_refused() -> None:
    files = JobFiles()

    async def three() -> list[Any]:
        reading = [files.read(bank, PARQUET, honest()) for bank in ("bohai", "bohai", "jincheng")]
        return await asyncio.gather(*reading, return_exceptions=True)

    first, second, third = asyncio.run(three())
    assert (first[0], third[0]) == (100, 100)
    assert isinstance(second, Overloaded)

    async def killed() -> None:
        reading = asyncio.ensure_future(files.read("bohai", PARQUET, honest()))
        while files._parquet._process is None:
            await asyncio.sleep(0.01)
        files._parquet._process.kill()
        await reading

    with pytest.raises(Malformed) as refused:
        asyncio.run(killed())
    assert (refused.value.why, refused.value.remedy) == texts_of(_TOO_COSTLY)
    assert asyncio.run(files.read("bohai", "", honest()))[0] == 100
    files.close()


def texts_of(reason: Text) -> tuple[str, str]:
    """The reason and the remedy of an error."""
    error = Malformed(reason)
    return error.why, error.remedy
