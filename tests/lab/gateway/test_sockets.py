"""The hub opens the two sockets of a workspace, and each identifies the workspace for which it was opened."""

from __future__ import annotations

import json
import os
import signal
import stat
from datetime import date
from pathlib import Path

import pytest

from credit.canonical import digest
from tests.lab import running_gateway
from tests.lab.running_gateway import House, client


def test_a_workspace_is_opened_identified_and_closed(house: House) -> None:
    paths = house.open("carol", "loans")
    assert paths["name"] == "carol--loans"
    assert Path(paths["kernel"]) == house.run / "ws" / "carol--loans" / "kernel" / "gateway.sock"
    for side in ("kernel", "server"):
        with client(Path(paths[side])) as http:
            me = http.get("/v1/me").json()
        assert (me["user"], me["project"], me["side"]) == ("carol", "loans", side)
        assert me["tables"] == sorted(running_gateway.TABLES)
    assert house.open("carol", "loans") == paths, "the same again is the same sockets"
    with house.control() as hub:
        assert "carol--loans" in hub.get("/workspaces").json()
        assert hub.delete("/workspaces/carol--loans").status_code == 204
        assert hub.delete("/workspaces/carol--loans").status_code == 404
        assert hub.get("/health").json()["status"] == "ok"
    assert not (house.run / "ws" / "carol--loans").exists()


def test_sockets_are_ours_alone_unless_given_away(house: House) -> None:
    paths = house.open("alice", "loans")
    for path in (house.run / "gateway.sock", Path(paths["kernel"]), Path(paths["server"])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(paths["kernel"]).parent.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        paths = house.open("alice", "fines", kernel_uid=61001, server_uid=61002, gid=61001)
        socket_stat = Path(paths["kernel"]).stat()
        assert (socket_stat.st_uid, socket_stat.st_gid, stat.S_IMODE(socket_stat.st_mode)) == (61001, 61001, 0o660)
        folder = Path(paths["kernel"]).parent.stat()
        assert (folder.st_uid, folder.st_gid, stat.S_IMODE(folder.st_mode)) == (0, 61001, 0o710)
        with house.control() as hub:
            hub.delete("/workspaces/alice--fines")


@pytest.mark.parametrize(
    ("opening", "status", "why"),
    [
        ({"user": "mallory", "project": "loans"}, 403, "not a member"),
        ({"user": "alice", "project": "nothing"}, 403, "no project"),
        ({"user": "../alice", "project": "loans"}, 422, "begins with a letter"),
        ({"user": "alice", "project": "loans", "kernel_uid": 0}, 422, "above 0"),
        ({"user": "alice", "project": "loans", "kernel_uid": True}, 422, "above 0"),
        ({"user": "alice", "project": "loans", "as": "root"}, 422, "must be an object of"),
    ],
)
def test_the_hub_is_refused_what_is_not_in_order(
    house: House, opening: dict[str, object], status: int, why: str
) -> None:
    with house.control() as hub:
        answer = hub.post("/workspaces", json=opening)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["title"] + answer.json()["detail"]


def test_the_catalogue_shows_what_is_granted_and_names_the_rest(house: House) -> None:
    with house.kernel("bob", "fines") as http:
        catalogue = http.get("/v1/catalogue").json()
        assert catalogue["practice"] == house.practice.seal.id
        assert catalogue["invented"] is True
        assert [table["name"] for table in catalogue["tables"]] == ["administrative_penalty", "registration"]
        assert catalogue["not_granted"] == ["loan_performance"]
        penalty = catalogue["tables"][0]
        assert (penalty["title"], penalty["source"], penalty["dated"]) == ("行政处罚", "各级行政执法机关", True)
        fine = next(column for column in penalty["columns"] if column["name"] == "fine")
        assert (fine["title"], fine["unit"], fine["type"]) == ("罚款金额", "万元", "DOUBLE")
        assert fine["rule"].startswith("band(")
        socket_stat = http.get("/v1/catalogue", params={"search": "罚款"}).json()
        assert [[column["name"] for column in table["columns"]] for table in socket_stat["tables"]] == [["fine"]]
        assert http.get("/v1/catalogue", params={"practice": f"practice-{'0' * 64}"}).status_code == 404
        assert http.get("/v1/catalogue", params={"practice": house.release.seal.id}).status_code == 403
        assert http.get("/v1/catalogue", params={"practice": "../../x"}).status_code == 422


def test_of_a_release_of_records_a_kernel_learns_its_days_and_granted_tables_alone(house: House) -> None:
    with house.kernel("bob", "fines") as http:
        (described,) = http.get("/v1/releases").json()
    release = house.release.seal
    assert described == {
        "release": release.id,
        "as_of": "2026-03-01",
        "expires_on": release.expires_on.isoformat(),
        "invented": True,
        "tables": ["administrative_penalty", "registration"],
    }
    with house.server("bob", "fines") as http:
        assert http.get("/v1/releases").status_code == 404


def test_a_cell_is_in_the_ledger_and_its_code_kept_before_the_answer(house: House) -> None:
    code = "lab.sql('SELECT count(*) FROM registration')  # 第一眼"
    with house.server() as http:
        answer = http.post("/v1/cells", json={"kernel": "k-1", "code": code, "tables": ["registration"]})
        assert answer.status_code == 201
        name = digest(code.encode())
        assert answer.json() == {"cells": [name]}
        batch = [{"kernel": "k-1", "code": f"{number}"} for number in range(3)]
        assert len(http.post("/v1/cells", json=batch).json()["cells"]) == 3
    kept = house.settings.airlock / "cells" / name
    assert kept.read_text() == code
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    entry = next(entry for entry in house.entries("cell.executed") if entry.object == f"cell-{name}")
    assert str(entry.by) == "researcher:alice"
    assert dict(entry.details) == {"project": "loans", "kernel": "k-1", "code": name, "tables": ["registration"]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kernel": "k", "code": "x" * (1 << 20)}, 201),
        ({"kernel": "k", "code": "x" * ((1 << 20) + 1)}, 413),
        ({"kernel": "k", "code": "\ud800"}, 422),
        ({"kernel": "../k", "code": "1"}, 422),
        ({"kernel": "k", "code": "1", "tables": ["'; DROP"]}, 422),
        ({"kernel": "k", "code": 1}, 422),
        ({"kernel": "k", "code": "1", "by": "researcher:bob"}, 422),
        ([], 422),
        ([{"kernel": "k", "code": "1"}] * 257, 422),
    ],
)
def test_cells_are_read_strictly(house: House, body: object, status: int) -> None:
    with house.server() as http:
        assert http.post("/v1/cells", content=json.dumps(body)).status_code == status


def test_a_project_that_lapses_is_refused_from_the_next_request_on(house: House) -> None:
    house.open_project("short", ["alice"], (), date(2026, 8, 1))
    with house.kernel("alice", "short") as kernel, house.server("alice", "short") as server:
        assert kernel.get("/v1/me").status_code == 200
        house.projects.extend("short", date(2026, 3, 1), by=running_gateway.BOSS, today=date(2026, 2, 1))
        for answer in (kernel.get("/v1/me"), kernel.get("/v1/catalogue"), server.post("/v1/cells", json=[])):
            assert answer.status_code == 503
            assert "has ended" in answer.json()["title"]
        house.projects.extend("short", date(2026, 8, 1), by=running_gateway.BOSS, today=running_gateway.TODAY)
        assert kernel.get("/v1/me").status_code == 200
        house.projects.set_members("short", [], by=running_gateway.BOSS)
        assert kernel.get("/v1/me").status_code == 403


def test_sockets_are_deleted_at_the_end_and_created_by_the_next_start() -> None:
    with running_gateway.house(subjects=8) as made:
        with running_gateway.gateway(made) as process:
            paths = made.open("alice", "loans")
            made.open("bob", "fines")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        assert not Path(paths["kernel"]).exists()
        assert Path(paths["kernel"]).parent.is_dir(), "a sandbox may have it mounted"
        assert not (made.run / "gateway.sock").exists()
        made.projects.close("fines", by=running_gateway.BOSS)
        with running_gateway.gateway(made), made.control() as hub, client(Path(paths["kernel"])) as http:
            assert http.get("/v1/me").json()["user"] == "alice"
            assert hub.get("/workspaces").json() == ["alice--loans"]
