"""A real workspace holds practice tables and rows, and no record: what compute makes for it appears while it runs."""

from __future__ import annotations

import json
import time

import pytest

from credit.seal import Kind
from infra import lab_services as on_this_machine
from tests.lab.workspace.conftest import DAY, Lab
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = pytest.mark.servers
FEATURES = "SELECT subject, count(*) AS penalties FROM administrative_penalty GROUP BY subject"
ALL_FILES = """import base64, hashlib, json, os
found = {}
for top in ("/data", "/home/lab", "/run", "/tmp"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                found[path] = hashlib.sha256(open(path, "rb").read()).hexdigest()
manifest = json.loads(base64.b64decode(json.load(open("/data/manifest.json"))["payload"]))["predicate"]
print(json.dumps([found, manifest["kind"], manifest["id"]]))"""
PRACTISE = f"""import lab
found = lab.sql("SELECT kind, count(*) AS firms FROM registration GROUP BY kind")
look = lab.features({FEATURES!r})
print(found.invented, look.invented, lab.catalogue().invented)
print(found, look)"""
ROWS = f"""import os, time, lab
before = os.listdir("/data/rows")
begun = time.monotonic()
rows = lab.rows({FEATURES!r}, as_of="2026-10-01", sample=1500)
frame, table = rows.pandas(), rows.arrow()
print("\\nmade", len(frame), table.num_rows, table.column_names, before, os.listdir("/data/rows") == [rows.seal + ".parquet"])
print("\\nagain", lab.rows({FEATURES!r}, as_of="2026-10-01", sample=1500).seal == rows.seal)
print("seconds", round(time.monotonic() - begun, 1))"""


@pytest.mark.attack
def test_no_file_of_a_workspace_is_one_of_a_release(lab: Lab, kernel: Kernel) -> None:
    """Every file that a kernel can read in its data, its home and its sockets' folders is compared by its digest."""
    digests, kind, practice = json.loads(kernel.run(ALL_FILES))
    assert kind == Kind.PRACTICE
    (sealed,) = (lab.home.shelf.open(each.id).seal for each in lab.home.shelf.list(Kind.PRACTICE))
    assert practice == sealed.id
    assert {path for path in digests if path.endswith("bucket-000.parquet")}
    records = {digest for each in lab.home.shelf.list(Kind.RELEASE) for digest in each.files.values()}
    assert records
    assert not {path for path, digest in digests.items() if digest in records}


def test_sql_features_and_catalogue_work_on_practice_tables_and_show_that_they_are_invented(kernel: Kernel) -> None:
    output = kernel.run(PRACTISE, timeout=60)
    assert output.startswith("True True True"), output
    assert output.count("invented 虚构") == 2, output


def test_rows_appear_in_a_workspace_that_runs(lab: Lab, alice: WorkspaceClient, mlflow_server: str) -> None:
    """An order, a bar, and rows to work with, in seconds; the same request again is the same rows."""
    kernel = alice.kernel()
    with on_this_machine.zones(lab.home, mlflow_server, DAY):
        begun = time.monotonic()
        output = kernel.run(ROWS, timeout=240)
        seconds = time.monotonic() - begun
    made = next((line for line in output.splitlines() if line.startswith("made")), "")
    assert made.endswith("[] True"), output
    assert "'penalties'" in made, output
    assert "again True" in output, output
    assert seconds < 200, output
    (seal,) = (each for each in lab.home.shelf.list(Kind.ROWS) if each.terms["author"] == "alice")
    assert seal.terms["project"] == "thinfiles"
    kernel.shut()
    reads = [entry.details for entry in lab.home.ledger("research").entries() if entry.verb == "cell.read"]
    (read,) = [each for each in reads if seal.id in each.get("rows", {})]
    assert read["witness"] == "machine", "also of rows that came after the workspace had started"
