"""A small custody zone: keys, a vault, a shelf, a ledger, and a catalogue of three tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from credit.actor import Actor
from credit.catalogue import Catalogue
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.uscc import compose
from privacy.intake.intake import intake
from privacy.intake.intake_report import IntakeReport
from privacy.release.policy import Policy
from privacy.release.release import release
from privacy.vault import Vault

TODAY = date(2026, 11, 1)
CITY, PLATFORM = Actor.parse("city:wang"), Actor.parse("platform:li")
COMMON = """market: false
source: 测试
openness: 社会公开
sharing: 无条件共享
usage: 可用于信用评价
"""
TABLES = {
    "registration": """name: registration
title: 市场主体登记
file: "registration*.csv"
subject: CODE
key: [CODE]
time: {happened: SINCE, known: null, ends: null}
fields:
  - {name: CODE, column: subject_code, title: 代码, type: string, required: true, role: direct,
     rules: {research: subject, scoring: subject}}
  - {name: NAME, column: subject_name, title: 名称, type: string, role: direct, rules: {}}
  - {name: DISTRICT, column: district, title: 区, type: string, role: quasi, rules: {research: keep, scoring: keep}}
  - {name: SINCE, column: registered_on, title: 成立日期, type: date, required: true, role: quasi,
     rules: {research: year, scoring: year}}
  - {name: STATUS, column: status, title: 状态, type: string, enum: [存续, 注销], role: none,
     rules: {research: keep, scoring: keep}}
""",
    "administrative_penalty": """name: administrative_penalty
title: 行政处罚
file: ["administrative_penalty*.csv", "administrative_penalty*.parquet"]
subject: CODE
key: [DOCUMENT, CODE]
time: {happened: DAY, known: KNOWN, ends: UNTIL}
repair_document: DOCUMENT
fields:
  - {name: CODE, column: subject_code, title: 代码, type: string, required: true, role: direct,
     rules: {research: subject, scoring: subject}}
  - {name: DOCUMENT, column: document_number, title: 文号, type: string, required: true, max_length: 20, role: direct,
     rules: {}}
  - {name: DAY, column: decided_on, title: 日期, type: date, required: true, role: quasi,
     rules: {research: month, scoring: keep}}
  - {name: KNOWN, column: reached_on, title: 采集, type: date, role: none,
     rules: {research: month_after, scoring: keep}}
  - {name: UNTIL, column: published_until, title: 截止, type: date, role: none,
     rules: {research: month_after, scoring: keep}}
  - {name: FINE, column: fine, title: 罚款, type: number, unit: 万元, minimum: 0, maximum: 1000, role: sensitive,
     rules: {research: "band(0,1,10)", scoring: "band(0,1,10)"}}
  - {name: SEVERITY, column: severity, title: 程度, type: string, enum: [minor, general, serious], role: none,
     rules: {research: keep, scoring: keep}}
  - {name: STATE, column: record_state, title: 状态, type: string, enum: [normal, disputed, revoked], role: none,
     rules: {}}
  - {name: NOTE, column: note, title: 说明, type: string, role: none, rules: {research: keep, scoring: keep}}
layouts:
  "2015": {XDR: CODE, WSH: DOCUMENT, JDRQ: DAY}
checks:
  - {reason: "decided before the firm existed", bad: "decided_on < r.registered_on"}
""",
    "credit_repair": """name: credit_repair
title: 信用修复
file: "credit_repair*.csv"
subject: CODE
key: [NUMBER]
time: {happened: DAY, known: null, ends: null}
fields:
  - {name: NUMBER, column: repair_number, title: 文号, type: string, required: true, role: direct, rules: {}}
  - {name: CODE, column: subject_code, title: 代码, type: string, required: true, role: direct,
     rules: {research: subject, scoring: subject}}
  - {name: TABLE, column: repaired_table, title: 表, type: string, required: true, role: none, rules: {}}
  - {name: DOCUMENT, column: document_number, title: 被修复文号, type: string, required: true, role: direct, rules: {}}
  - {name: SEVERITY, column: severity, title: 程度, type: string, role: none, rules: {}}
  - {name: DAY, column: repaired_on, title: 日期, type: date, required: true, role: none, rules: {}}
""",
}


def code(number: int, prefix: str = "91") -> str:
    """A valid invented code in a division that is not assigned."""
    return compose(prefix, "999998", f"{number:08d}").code


@dataclass(frozen=True, slots=True)
class House:
    """All parts of a custody zone under one temporary folder."""

    root: Path
    key: SigningKey
    vault: Vault
    shelf: Shelf
    ledger: Ledger
    catalogue: Catalogue

    def bring(self, **files: str | bytes) -> IntakeReport:
        """Write ``name=content`` as name.csv and bring them in."""
        folder = self.root / "raw"
        folder.mkdir(exist_ok=True)
        paths = []
        for name, content in files.items():
            paths.append(folder / f"{name}.csv")
            paths[-1].write_bytes(content.encode() if isinstance(content, str) else content)
        return self.bring_paths(paths)

    def bring_paths(self, paths: list[Path]) -> IntakeReport:
        """Bring files in."""
        return intake(paths, catalogue=self.catalogue, vault=self.vault, ledger=self.ledger, by=CITY, today=TODAY)

    def quarantine(self) -> list[tuple[str, int, str]]:
        """(table, line, reason) of every quarantined row."""
        if "_quarantine" not in self.vault.names():
            return []
        return [(row["table"], row["line"], row["reason"]) for row in self.vault.read("_quarantine").to_pylist()]

    def release(
        self, purpose: str = "research", *, as_of: date = TODAY, policy: Policy | None = None, audience: str = ""
    ) -> Seal:
        """Make a release for a purpose with the keys of this zone."""
        return release(
            purpose=purpose,
            catalogue=self.catalogue,
            vault=self.vault,
            policy=policy or Policy.load(),
            shelf=self.shelf,
            key=self.key,
            pseudonym_key=PseudonymKey(purpose, purpose.encode().ljust(32, b"-")),
            ledger=self.ledger,
            by=PLATFORM,
            as_of=as_of,
            audience=audience,
            invented=True,
        )


def register_of(subjects: int) -> str:
    """The register of ``count`` firms in two districts."""
    rows = (f"{code(n)},名称{n},{'南开' if n % 2 else '河西'},2020-0{n % 9 + 1}-01,存续\n" for n in range(subjects))
    return "CODE,NAME,DISTRICT,SINCE,STATUS\n" + "".join(rows)


def empty_house(root: Path) -> House:
    """A custody zone with keys and a catalogue, and no data."""
    folder = root / "catalogue"
    folder.mkdir()
    for name, data in TABLES.items():
        (folder / f"{name}.yaml").write_text(COMMON + data, encoding="utf-8")
    SigningKey.create(root / "keys", "custody")
    return house_of(root)


def house_of(root: Path) -> House:
    """The custody zone that is in a folder."""
    key = SigningKey.load(root / "keys", "custody")
    ring = KeyRing.of(key)
    return House(
        root,
        key,
        Vault(root / "vault", b"v" * 32),
        Shelf(root / "shelf", ring),
        Ledger(root / "ledger.jsonl", key, ring),
        Catalogue.load("tiny", root / "catalogue"),
    )
