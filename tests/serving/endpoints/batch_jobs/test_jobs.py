"""A file of codes is scored line by line, each under its own mandate, and a worker that is killed loses nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving_world import PLATFORM, PURPOSE, codes

from credit.errors import Malformed
from serving.auth.access_database import AccessDatabase
from serving.auth.mandates import revoke
from serving.endpoints.batch_jobs.job_lines import read_line
from serving.endpoints.batch_jobs.job_scoring import CHUNK, work
from serving.endpoints.batch_jobs.job_store import JobStore
from serving.endpoints.scores.replay import replay
from serving.responses.compose import answer_digest
from serving.responses.job_columns import INPUT_COLUMNS

GOOD, OTHER, THIRD = codes("enterprise", 3)
UNKNOWN = codes("enterprise", 99)[-1]


def test_each_line_is_evaluated_separately_and_a_bad_one_is_explained(bank: Any) -> None:
    own, unknown = bank.world.grant("bohai", GOOD).id, bank.world.grant("bohai", UNKNOWN).id
    name = bank.send([
        f"{GOOD},{PURPOSE},{own}", f"{OTHER},{PURPOSE},{own}", f"{UNKNOWN},{PURPOSE},{unknown}",
        "=HYPERLINK(1),x,y", "", f"{GOOD},{PURPOSE}", "x" * 600, f'"{GOOD}", {PURPOSE} ,{own}',
    ])  # fmt: skip
    assert bank.request("GET", f"/v1/jobs/{name}").json()["state"] == "queued"
    assert bank.request("GET", f"/v1/jobs/{name}/result").status_code == 422
    bank.work()
    result = bank.request("GET", f"/v1/jobs/{name}").json()
    assert (result["state"], result["lines"], result["done"], result["answered"], result["refused"]) == (
        "done",
        8,
        8,
        2,
        6,
    )
    rows = bank.rows(name)
    assert [row["status"] for row in rows] == ["200", "403", "404", "422", "422", "422", "422", "200"]
    assert [row["line"] for row in rows] == [str(number) for number in range(1, 9)]
    assert all(row["problem"] and not row["uscc"] and "=" not in row["problem"] for row in rows[1:7])
    alone = bank.running.score(GOOD, own).json()
    assert (float(rows[0]["points"]), rows[0]["grade"], rows[0]["uscc"]) == (alone["points"], alone["grade"], GOOD)
    reasons = sum(float(part.rpartition(":")[2]) for part in rows[0]["reasons"].split())
    assert reasons == pytest.approx(alone["points"] - alone["base_points"])
    entries = {entry.object: entry for entry in bank.world.ledger.verified() if "line" in entry.details}
    assert [entries[row["score_id"]].details["status"] for row in rows] == [int(row["status"]) for row in rows]
    assert entries[rows[0]["score_id"]].id == rows[0]["entry"]
    assert replay(rows[0]["score_id"], bank.world.ledger, bank.world.shelf).digest == rows[0]["digest"]
    assert GOOD not in (bank.world.root / "ledger.jsonl").read_text()
    assert answer_digest(alone) == alone["receipt"]["digest"]


def test_a_worker_killed_anywhere_goes_on_and_every_row_is_in_the_ledger(bank: Any) -> None:
    mandate = bank.world.grant("bohai", GOOD).id
    lines = 2 * CHUNK + 7
    name = bank.send([f"{GOOD},{PURPOSE},{mandate}"] * lines)
    assert work(bank.service, bank.jobs)

    class Killed(BaseException):
        pass

    class Dies(JobStore):
        def progress(self, *_: Any) -> bool:
            raise Killed

    dying = Dies(bank.service.store, bank.world.root / "jobs")
    second = dying.next()
    assert second is not None
    assert second.done == CHUNK
    with pytest.raises(Killed):  # the entries and the rows are written, and the progress is not
        work(bank.service, dying)
    with bank.jobs.result_path(second).open("ab") as torn:
        torn.write(b"513,200,half a ro")
    bank.work()
    rows = bank.rows(name)
    assert [int(row["line"]) for row in rows] == list(range(1, lines + 1))
    assert {row["status"] for row in rows} == {"200"}
    entries = {entry.object: entry.id for entry in bank.world.ledger.verified() if entry.verb == "score.answered"}
    assert all(entries[row["score_id"]] == row["entry"] for row in rows)
    assert len(entries) == lines + CHUNK


@pytest.mark.attack
def test_a_job_is_of_its_bank_alone_and_what_is_no_job_is_refused(bank: Any) -> None:
    head = (",".join(INPUT_COLUMNS) + "\n").encode()
    for body in (b"", head, b"a,b,c\n1,2,3", head + b"\xff\xfe", b"\x00" * 100, head + b"x\n" * 100_001):
        assert bank.request("POST", "/v1/jobs", body).status_code == 422
    assert bank.request("POST", "/v1/jobs", head + b"x" * (16 << 20)).status_code == 413
    names = [bank.send(["x,y,z"]) for _ in range(2)]
    assert bank.request("POST", "/v1/jobs", head + b"x,y,z").status_code == 403  # two are not done
    for method, path in (("GET", ""), ("GET", "/result"), ("DELETE", "")):
        assert bank.request(method, f"/v1/jobs/{names[0]}{path}", bank="jincheng").status_code == 404
        assert bank.request(method, f"/v1/jobs/job-0{path}").status_code == 404
    banks = ("bohai", "jincheng")
    listed = [{each["job_id"] for each in bank.request("GET", "/v1/jobs", bank=who).json()["jobs"]} for who in banks]
    assert listed == [set(names), set()]
    assert list(bank.jobs.folder.glob("*.asked.csv"))
    for name in names:
        assert bank.request("DELETE", f"/v1/jobs/{name}").json()["state"] == "cancelled"
    assert list(bank.jobs.folder.iterdir()) == []
    assert bank.request("GET", "/v1/jobs").json() == {"jobs": []}
    assert bank.request("GET", f"/v1/jobs/{names[0]}/result").status_code == 422


@pytest.mark.attack
def test_codes_are_not_tried_by_file_either(bank: Any) -> None:
    mandate = bank.world.grant("bohai", GOOD).id
    name = bank.send([f"{OTHER},{PURPOSE},{mandate}"] * (2 * CHUNK))
    bank.work()
    statuses = [row["status"] for row in bank.rows(name)]
    assert statuses == ["403"] * 100 + ["429"] * (2 * CHUNK - 100)
    assert len(bank.running.entries("enumeration.suspected")) == 1


@pytest.mark.attack
def test_a_mandate_revoked_during_a_job_allows_no_later_line_and_a_disabled_bank_gets_none(bank: Any) -> None:
    mandate = bank.world.grant("bohai", GOOD).id
    name = bank.send([f"{GOOD},{PURPOSE},{mandate}"] * (CHUNK + 50))
    assert work(bank.service, bank.jobs)
    access = AccessDatabase(bank.world.root / "access.db")
    revoke(access, mandate, by=PLATFORM, ledger=bank.world.ledger)
    bank.work()
    assert [row["status"] for row in bank.rows(name)] == ["200"] * CHUNK + ["403"] * 50
    other = bank.send([f"{GOOD},{PURPOSE},{mandate}"] * 3)
    access.disable_client("bohai")
    access.close()
    bank.work()
    job = bank.jobs.job(other, "bohai")
    assert job is not None
    assert (job.state, job.answered) == ("done", 0)


@pytest.mark.attack
@given(st.text(max_size=700) | st.text('",\r\t\x00 a', max_size=30))
def test_any_line_is_three_fields_or_malformed(text: str) -> None:
    try:
        read_line(text)
    except Malformed as bad:
        assert not text or len(text) < 8 or text not in str(bad)  # noqa: PT017


def test_a_file_whose_process_was_killed_before_it_was_a_job_is_deleted_in_a_day(bank: Any) -> None:
    name = bank.send([f"{GOOD},{PURPOSE},{bank.world.grant('bohai', GOOD).id}"])
    orphan = bank.jobs.folder / "job-0.asked.csv"
    orphan.write_text(GOOD)
    now = time.time()
    assert bank.jobs.expire(now) == []
    assert bank.files_left() == {f"{name}.asked.csv", orphan.name}
    assert bank.jobs.expire(now + 25 * 3600) == []
    assert bank.files_left() == {f"{name}.asked.csv"}


def test_a_job_that_is_over_leaves_nothing_of_its_subjects(bank: Any) -> None:
    name = bank.send([f"{GOOD},{PURPOSE},{bank.world.grant('bohai', GOOD).id}"])
    bank.work()
    job = bank.jobs.job(name, "bohai")
    assert job is not None
    assert bank.jobs.expire(job.expires_at - 1) == []
    assert [one.id for one in bank.jobs.expire(job.expires_at + 1)] == [name]
    assert list(bank.jobs.folder.iterdir()) == []
    assert bank.request("GET", f"/v1/jobs/{name}").json()["state"] == "expired"
    assert (bank.jobs.folder.stat().st_mode & 0o077, GOOD in (bank.world.root / "access.db").read_text("latin-1")) == (
        0, False
    )  # fmt: skip
