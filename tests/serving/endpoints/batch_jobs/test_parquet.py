"""A Parquet file is read as the CSV that it stands for; a result in Parquet holds the same values as its CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from datetime import date
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from haihe_client import AsyncServiceClient, RequestNotSent, ServiceClient, ServiceKeys
from hypothesis import given, settings
from hypothesis import strategies as st
from serving_world import PURPOSE, codes

from credit.canonical import digest
from serving.audit.signatures import HEADER, verify
from serving.endpoints.batch_jobs import parquet
from serving.endpoints.batch_jobs.job_lines import read_line, split_lines
from serving.responses.job_columns import CSV, INPUT_COLUMNS, MAX_LINE_LENGTH, OUTPUT_COLUMNS, PARQUET

GOOD, OTHER = codes("enterprise", 2)
FULL_WIDTH = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in GOOD)


def filed(rows: list[tuple[Any, ...]], kind: Any = None, **more: Any) -> bytes:
    """These rows as Parquet."""
    columns = dict(zip(INPUT_COLUMNS, zip(*rows, strict=True), strict=True))
    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values, kind or pa.string()) for name, values in columns.items()}), out,
                   **more)  # fmt: skip
    return out.getvalue()


def send(bank: Any, body: bytes, media: str = PARQUET) -> Any:
    headers = {"Authorization": f"Bearer {bank.running.token()}", "Content-Type": media}
    return bank.running.http.post("/v1/jobs", content=body, headers=headers)


def test_both_formats_give_the_same_answers_and_the_result_is_available_in_both(bank: Any) -> None:
    own = bank.world.grant("bohai", GOOD).id
    rows = [(GOOD, PURPOSE, own), (OTHER, PURPOSE, own), (FULL_WIDTH, PURPOSE, own), ("=1+1", "x", None),
            (GOOD + "\n" + GOOD, PURPOSE, own), (GOOD, PURPOSE, "m" * 4000), ('"', ",", ",,\n"), (None, None, None),
            (GOOD, PURPOSE, own)]  # fmt: skip
    answer = send(bank, filed(rows, pa.dictionary(pa.int32(), pa.string())), "application/octet-stream")
    assert answer.status_code == 200, answer.text
    assert answer.json()["lines"] == len(rows)
    bank.work()
    name = answer.json()["job_id"]
    plain = bank.rows(name)
    assert [row["status"] for row in plain] == ["200", "403", *["422"] * 6, "200"]
    headers = {"Authorization": f"Bearer {bank.running.token()}", "Accept": f"{PARQUET}, */*;q=0.1"}
    result = bank.running.http.get(f"/v1/jobs/{name}/result", headers=headers)
    assert result.headers["content-type"] == PARQUET
    verify(result.content, result.headers[HEADER], bank.world.ring)
    assert bank.running.entries("job.fetched")[-1].details["digest"] == digest(result.content)
    table = pq.read_table(io.BytesIO(result.content))
    assert tuple(table.column_names) == OUTPUT_COLUMNS
    typed = table.to_pylist()
    for row, one in zip(plain, typed, strict=True):
        same = {key: "" if value is None else str(value) for key, value in one.items()}
        assert {**same, "points": "", "default_probability": ""} == {**row, "points": "", "default_probability": ""}
    assert typed[0]["points"] == float(plain[0]["points"])
    assert isinstance(typed[0]["valid_until"], date)
    assert (typed[1]["points"], typed[1]["line"]) == (None, 2)
    again = bank.running.http.get(f"/v1/jobs/{name}/result", headers=headers)
    assert again.content == result.content
    assert bank.files_left() == {f"{name}.asked.csv", f"{name}.told.csv"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.none() | st.text(max_size=40) | st.text('",\r\n\x00 a', max_size=8)] * 3), min_size=1))
def test_every_row_becomes_one_line_with_the_same_values(rows: list[tuple[str | None, ...]]) -> None:
    lines, plain = split_lines(parquet.read(filed(rows, row_group_size=3)))
    assert lines == len(rows)
    csv_lines = plain.decode().removesuffix("\n").split("\n")
    for row, text in zip(rows, csv_lines, strict=True):
        values = [value or "" for value in row]
        if len(text) <= MAX_LINE_LENGTH and not set("".join(values)) & set("\n\r\x00"):
            request = read_line(text)
            assert [request.uscc, request.purpose, request.mandate] == [value.strip() for value in values]
        else:
            assert "\ufffd" in text


def test_a_result_is_the_same_whatever_its_length_and_needs_no_more_than_its_rows() -> None:
    rows = [
        dict.fromkeys(OUTPUT_COLUMNS, "") | {"line": str(n), "status": "200", "points": "612.25"} for n in range(20_000)
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, OUTPUT_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    table = pq.read_table(io.BytesIO(parquet.write(out.getvalue().encode())))
    assert table.column("line").to_pylist() == list(range(20_000))
    assert set(table.column("points").to_pylist()) == {612.25}


def client_of(bank: Any) -> ServiceClient:
    secret = bank.running.secrets["bohai"]
    keys = ServiceKeys(bank.world.ring.keys["service"])
    return ServiceClient("", "bohai", secret, http=bank.running.http, keys=keys)


def test_a_file_goes_and_comes_by_either_client_in_either_form_under_its_signature(bank: Any) -> None:
    own, bohai = bank.world.grant("bohai", GOOD).id, client_of(bank)
    rows = [(GOOD, PURPOSE, own), (OTHER, PURPOSE, own)]
    plain = "\n".join(",".join(row) for row in [INPUT_COLUMNS, *rows]).encode()
    for file in (filed(rows), plain):
        job = bohai.send_file(file)["job_id"]
        bank.work()
        assert [row["status"] for row in bohai.job_result(job)] == ["200", "403"]
        assert [each["job_id"] for each in bohai.jobs()] == [job]
        answer, signature = bohai.job_file(job)
        verify(answer, signature, bank.world.ring)
        assert pq.read_table(io.BytesIO(answer)).column("status").to_pylist() == [200, 403]
        answer, signature = bohai.job_file(job, "csv")
        verify(answer, signature, bank.world.ring)
        assert answer.startswith(",".join(OUTPUT_COLUMNS).encode())
        bohai.end_job(job)

    async def awaited() -> tuple[str, bytes]:
        http = httpx.AsyncClient(transport=httpx.ASGITransport(bank.running.http.app), base_url="http://testserver")
        async with AsyncServiceClient("", "bohai", bank.running.secrets["bohai"], http=http) as other:
            sent = (await other.send_file(filed(rows)))["job_id"]
            await asyncio.to_thread(bank.work)
            return sent, (await other.job_file(sent))[0]

    job, answer = asyncio.run(awaited())
    assert answer == bohai.job_file(job)[0]


@pytest.mark.attack
def test_a_line_of_the_client_cannot_become_two(bank: Any) -> None:
    bohai, own = client_of(bank), bank.world.grant("bohai", GOOD).id
    for breaks in ("\n", "\r\n", "\r"):
        with pytest.raises(RequestNotSent, match="line break") as refused:
            bohai.send_job([(f"{GOOD},{PURPOSE},{own}{breaks}{GOOD}", PURPOSE, own)])
        assert GOOD not in str(refused.value)
    job = bohai.send_job([(f'{GOOD},"{PURPOSE}', PURPOSE, own), (GOOD, PURPOSE, own)])["job_id"]
    bank.work()
    assert [row["status"] for row in bohai.job_result(job)] == ["422", "200"]  # a comma is one in its field


def test_without_the_library_parquet_is_refused_and_csv_accepted(bank: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = bank.world.grant("bohai", GOOD).id
    file = filed([(GOOD, PURPOSE, own)])
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # Python's own way to say that it cannot be imported
    for media in (PARQUET, CSV, "application/octet-stream"):
        answer = send(bank, file, media)
        assert answer.status_code == 422
        assert (answer.json()["detail"], answer.json()["remedy"]) == ("this service accepts only CSV", "Use CSV")
    job = bank.send([f"{GOOD},{PURPOSE},{own}"])
    bank.work()
    headers = {"Authorization": f"Bearer {bank.running.token()}", "Accept": PARQUET}
    answer = bank.running.http.get(f"/v1/jobs/{job}/result", headers=headers)
    assert (answer.status_code, answer.json()["remedy"]) == (422, "Use CSV")
    assert [row["status"] for row in bank.rows(job)] == ["200"]
