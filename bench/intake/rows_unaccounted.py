"""Rows that an intake of damaged files loses: neither stored, nor held already, nor in quarantine.

Two counts are added up: how far the report's own numbers are from adding up, and the rows whose mark stands in a
file's bytes and neither in a stored table nor in the quarantine. Of a packed file that is refused by name nothing can
be said but that.
"""

from __future__ import annotations

import os
import random
import re
import tempfile
from datetime import date
from pathlib import Path

from bench.intake.damaged_files import MARK, DamagedFile, damaged_file
from bench.record import record
from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.uscc import compose
from privacy.intake.intake import intake
from privacy.quarantine import store
from privacy.vault import Vault

FILES = int(os.environ.get("HAIHE_DAMAGED_FILES", "2400"))  # 10,000 take about ten minutes
BATCH = 200  # files of one intake
TABLE = """name: administrative_penalty
title: 行政处罚
source: 虚构
openness: 社会公开
sharing: 无条件共享
usage: 可用于信用评价
file: "administrative_penalty*.csv"
subject: CODE
key: [DOCUMENT, CODE]
time: {happened: DAY, known: null, ends: null}
fields:
  - {name: CODE, column: subject_code, title: 代码, type: string, required: true, role: direct, rules: {}}
  - {name: DOCUMENT, column: document_number, title: 文号, type: string, required: true, role: direct, rules: {}}
  - {name: DAY, column: decided_on, title: 日期, type: date, required: true, role: quasi, rules: {}}
  - {name: FINE, column: fine, title: 罚款, type: number, unit: 万元, minimum: 0, role: none, rules: {}}
  - {name: SEVERITY, column: severity, title: 程度, type: string, enum: [minor, general], role: none, rules: {}}
  - {name: STATE, column: record_state, title: 状态, type: string, enum: [normal, revoked], role: none, rules: {}}
  - {name: NOTE, column: note, title: 说明, type: string, role: none, rules: {}}
"""


def code_of(number: int) -> str:
    """A valid invented code in a division that is not assigned."""
    return compose("91", "999998", f"{number:08d}").code


def unaccounted(files: list[DamagedFile], folder: Path) -> tuple[int, list[str]]:
    """How many rows one intake of these files loses, and the names of the files with the marks that are nowhere."""
    raw = folder / "raw"
    raw.mkdir(parents=True)
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "administrative_penalty.yaml").write_text(TABLE, encoding="utf-8")
    for file in files:
        (raw / file.name).write_bytes(file.content)
    key = SigningKey.create(folder / "keys", "custody")
    vault, ledger = Vault(folder / "vault", b"v" * 32), Ledger(folder / "ledger.jsonl", key, KeyRing.of(key))
    catalogue = Catalogue.load("damaged", folder / "catalogue")
    report = intake(
        raw, catalogue=catalogue, vault=vault, ledger=ledger, by=Actor.parse("city:bench"), today=date(2026, 11, 1)
    )
    rejected = store.read(vault).to_pylist()
    lost = abs(report.rows_in - report.kept - report.duplicates - report.quarantined)
    lost += abs(report.quarantined - sum(row["state"] == store.WAITING for row in rejected))
    seen = _marks(rejected)
    if "administrative_penalty" in vault.names():
        stored = vault.read("administrative_penalty").to_pylist()
        seen |= {mark for row in stored for value in row.values() for mark in MARK.findall(str(value))}
    whole = {row["file"] for row in rejected if row["line"] == 0}  # refused by name, with all their rows
    missing = [
        f"{file.name}: {sorted(file.marks - seen)}" for file in files if file.marks - seen and file.name not in whole
    ]
    return lost + sum(len(file.marks - seen) for file in files if file.name not in whole), missing


def _marks(rejected: list[dict[str, object]]) -> set[str]:
    """The marks in the rows of the quarantine, whose content is text or hexadecimal bytes."""
    seen: set[str] = set()
    for row in rejected:
        content = str(row["row"])
        if re.fullmatch("(?:[0-9a-f]{2})+", content):
            content += bytes.fromhex(content).decode("latin-1")
        seen |= set(MARK.findall(content))
    return seen


def rows_unaccounted() -> None:
    """Rows lost by intakes of damaged files of all formats."""
    source, lost = random.Random(16), 0
    for first in range(0, FILES, BATCH):
        files = [damaged_file(source, number, code_of) for number in range(first, min(first + BATCH, FILES))]
        with tempfile.TemporaryDirectory() as folder:
            number, missing = unaccounted(files, Path(folder) / "home")
        lost += number
        for line in missing:
            print(line)
    record("rows_unaccounted", lost, "rows", goal=0, data=f"{FILES} damaged files of eight formats, invented")
