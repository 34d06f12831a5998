"""A research zone in a folder: keys, accounts, projects, orders in every state, cells, made by the zone's own code."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.files import write_atomically
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts
from lab.airlock.parcel_context import FileDescription, ParcelContext
from lab.airlock.review.service import AirlockService
from lab.projects import Projects
from lab.settings import ResearchSettings
from tests.lab.accounts.made_accounts import make_accounts
from tests.lab.airlock.review_zone import read_and_vote
from tests.lab.console import parcel_files

FIRST, SECOND = Actor("wang", Role.PLATFORM), Actor("zhou", Role.PLATFORM)
PEOPLE = {  # name -> role, besides the two of installation
    "li": Role.REVIEWER,
    "zhao": Role.REVIEWER,
    "chen": Role.REVIEWER,
    "alice": Role.RESEARCHER,
    "bo": Role.RESEARCHER,
    "sun": Role.AUDITOR,
    "he": Role.CITY,
}
PSEUDONYM, OTHER = "a1" * 16, "b2" * 16  # of two subjects
PURPOSE = "研究小微企业与个体工商户在贷款逾期之前六个月的公共信用征兆，为银行提供可解释的早期预警特征。"


@dataclass(frozen=True)
class Zone:
    """The settings and keys of a zone, and the parcels that were made in it, by name."""

    settings: ResearchSettings
    keys: dict[str, SigningKey]
    ring: KeyRing
    parcels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, root: Path, people: Mapping[str, Role] = PEOPLE) -> Zone:
        """Keys and an empty ledger with the accounts of ``people``."""
        zones = ("desk", "custody", "research", "compute", "platform", "service")
        keys = {zone: SigningKey.create(root / "keys" / zone, zone) for zone in zones}
        for zone, key in keys.items():
            write_atomically(root / "ring" / f"{zone}.pem", key.public_pem())
        settings = ResearchSettings(
            shelf=root / "shelf",
            keys=root / "keys" / "research",
            ring=root / "ring",
            ledger=root / "ledgers" / "research.jsonl",
            accounts_ledger=root / "ledgers" / "desk.jsonl",
            homes=root / "homes",
            airlock=root / "airlock",
            run=root / "run",
            outbox=root / "outbox",
            compute_ledger=root / "ledgers" / "compute.jsonl",
            runs=root / "runs",
            desk=Path(tempfile.mkdtemp(prefix="desk-")) / "s",  # the path of a socket is short
        )
        zone = cls(settings, keys, KeyRing.load(settings.ring))
        if people:
            make_accounts(zone.accounts_ledger, people, by=FIRST, second=SECOND)
            changes = zone.account_changes
            requested = changes.request_account("guo", (Role.BANK,), by=FIRST, bank="bank-a")
            if requested.waits:
                changes.confirm(requested.change, by=SECOND)
        return zone

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.settings.ledger, self.keys["research"], self.ring, "research")

    @property
    def accounts_ledger(self) -> Ledger:
        return Ledger(self.settings.accounts_ledger, self.keys["desk"], self.ring, "desk")

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.accounts_ledger)

    @property
    def account_changes(self) -> AccountChanges:
        return AccountChanges(self.accounts_ledger)

    def add_account(self, name: str, role: Role) -> None:
        """One more account."""
        make_accounts(self.accounts_ledger, {name: role}, by=FIRST, second=SECOND)

    @property
    def projects(self) -> Projects:
        return Projects(self.ledger, self.accounts)

    def environment(self) -> dict[str, str]:
        """The settings as the environment of a process."""
        names = self.settings.__dataclass_fields__
        values = {f"HAIHE_RESEARCH_{name.upper()}": getattr(self.settings, name) for name in names}
        return {name: str(value) for name, value in values.items() if value is not None}

    @property
    def desk_socket(self) -> Path:
        assert self.settings.desk is not None
        return self.settings.desk

    def desk_environment(self) -> dict[str, str]:
        """The settings of the front desk as the environment of a process."""
        root = self.settings.ledger.parents[1]
        folders = {name: root / name for name in ("ring", "ledgers", "runs", "requests")}
        values = {**folders, "keys": root / "keys" / "desk", "socket": self.desk_socket}
        return {f"HAIHE_DESK_{name.upper()}": str(value) for name, value in values.items()}

    def release(self) -> Seal:
        """A research release of three tables of the city's catalogue, sealed by custody."""
        shelf = Shelf(self.settings.shelf, self.ring)
        rows = {"registration": 71204, "administrative_penalty": 18322, "tax_arrears": 4410, "loan_performance": 36120}
        with shelf.staging() as folder:
            pq.write_table(pa.table({"subject": ["0" * 32]}), folder / "registration.parquet")
            tables = {name: {"rows": n, "dated": True, "columns": {"subject": "VARCHAR"}} for name, n in rows.items()}
            terms = {"purpose": "research", "as_of": "2026-10-31", "invented": True, "tables": tables}
            terms["catalogue"] = {"name": "city", "version": "0" * 64}
            made = {"parents": (), "terms": terms, "expires_on": date(2031, 1, 1)}
            return shelf.put(folder, Kind.RELEASE, by=Actor("city", Role.CITY), key=self.keys["custody"], **made)

    def some_projects(self) -> None:
        """Three projects: one open, one that ends soon, one closed."""
        today = self.settings.day()
        projects = {
            "xiaowei": ("小微企业逾期早期预警", PURPOSE, 120, ("alice", "bo")),
            "geti": ("个体工商户信用评价指标", "检验个体工商户二十三项二级指标的区分能力。", 12, ("bo",)),
            "shouxin": (
                "Pre-approved credit for first-time borrowers",
                "Which public records tell banks most?",
                90,
                (),
            ),
        }
        for name, (title, purpose, days, members) in projects.items():
            end = today + timedelta(days=days)
            self.projects.open(name, title=title, purpose=purpose, ends_on=end, members=members, by=FIRST, today=today)
        self.projects.grant("xiaowei", ("registration", "administrative_penalty", "loan_performance"), by=FIRST)
        self.projects.close("shouxin", by=FIRST)

    def some_orders(self) -> list[str]:
        """Orders of alice (done, failed, running, waiting), recorded as gateway, trainer and worker record them."""
        alice, worker, ids = Actor("alice", Role.RESEARCHER), Actor("worker", Role.SERVICE), []
        compute = Ledger(self.settings.compute_ledger, self.keys["compute"], self.ring, "compute")
        for n, state in enumerate(("done", "failed", "running", "waiting")):
            name, model = f"order-{digest(str(n).encode())}", ("enterprise", "early_warning")[n % 2]
            ids.append(name)
            self.ledger.append("order.placed", name, by=alice, details={"model": model})
            request = self.ledger.append(
                "training.asked", name, by=alice, details={"project": "xiaowei", "model": model}
            )
            if state == "done":
                compute.append("version.made", f"version-{digest(b'v')}", by=worker, details={"order": name})
            if state == "failed":
                why = {"asked": request.seq, "why": "The release has lapsed: it ended on 2026-11-01"}
                compute.append("training.failed", name, by=worker, details={**why, "remedy": "Take a newer one"})
            if state == "running":
                progress = {"state": state, "label": "fold 3 of 5", "done": 12, "total": 31, "asked": request.seq}
                write_atomically(self.settings.runs / f"{name}.json", json.dumps(progress).encode())
        return ids

    @property
    def airlock(self) -> AirlockService:
        shelf, key = Shelf(self.settings.shelf, self.ring), self.keys["research"]
        return AirlockService(self.settings, self.ledger, shelf, key, self.accounts)

    def submit(
        self,
        files: dict[str, bytes],
        title: str,
        *,
        user: str = "alice",
        project: str = "xiaowei",
        recipients: tuple[str, ...] = (),
    ) -> str:
        """Submit a parcel as a researcher does; return the petition's id."""
        releases = tuple(seal.id for seal in Shelf(self.settings.shelf, self.ring).list(Kind.RELEASE))
        about = {
            name: FileDescription(
                f"{name.split('.')[0]}：按行业汇总", "全市存续小微企业", "按登记日期计数，四舍五入到 5", 71200
            )
            for name in files
        }
        context = ParcelContext(title, "向合作银行说明哪些公共信用记录先于逾期出现", about, releases, recipients)
        return self.airlock.submit(files, context, by=Actor(user, Role.RESEARCHER), project=project).id

    def vote(self, id: str, approve: bool, reason: str, *, by: Actor) -> None:
        """Vote as a reviewer who read every file to its end."""
        read_and_vote(self.airlock, id, approve, reason, by=by)

    def some_parcels(self) -> dict[str, str]:
        """Parcels in every state: their ids under the names fresh, clean, questioned, half, approved, refused."""
        alice, li, chen = Actor("alice", Role.RESEARCHER), Actor("li", Role.REVIEWER), Actor("chen", Role.REVIEWER)
        approved = self.submit({"logistics.csv": parcel_files.rounded("区", 7)}, "各区逾期前征兆汇总")
        self.vote(approved, True, "已核对分组与取整", by=li)
        self.vote(approved, True, "无差分风险", by=chen)
        self.airlock.collect(approved, by=alice)
        refused = self.submit({"memo.md": parcel_files.MEMO}, "阶段性说明")
        self.vote(refused, False, "文字中的结论应改用汇总表表达，并说明总体与计数方式", by=li)
        self.vote(refused, True, "可以接受", by=chen)
        fresh = self.submit(parcel_files.mixed(), "逾期早期预警：行业分布、特征重要性与建模笔记本")
        clean = self.submit({"grades.csv": parcel_files.rounded("等级", 4)}, "九级评价分布", user="bo")
        questioned = self.submit({"chart.png": parcel_files.picture()}, "月度趋势图")
        self.airlock.send_question(questioned, "横轴的月份是按处罚决定日期，还是按归集日期？", by=chen)
        half = self.submit({"months.csv": parcel_files.rounded("月份", 12, base=60)}, "逾期月份分布")
        self.vote(half, True, "分组均在阈值以上", by=li)
        return dict(
            zip(
                ("fresh", "clean", "questioned", "half", "approved", "refused"),
                (fresh, clean, questioned, half, approved, refused),
                strict=True,
            )
        )

    def some_scores(self) -> None:
        """Two banks with a key each, and an answer of the service to each."""
        folder = self.settings.ledger.parent
        platform, service = (
            Ledger(folder / f"{zone}.jsonl", self.keys[zone], self.ring, zone) for zone in ("platform", "service")
        )
        for number, (bank, subject) in enumerate({"bank-a": PSEUDONYM, "bank-b": OTHER}.items()):
            platform.append("bank.added", f"bank-{bank}", by=FIRST, details={"key": f"key-of-{bank}"})
            details = {"subject": subject, "status": 200, "purpose": "loan", "title": subject, "model": "enterprise"}
            by, id = Actor(bank, Role.BANK), f"01890a5d-ac96-774b-bcce-b302099a805{number}"
            service.append("score.answered", id, by=by, details=details)
            service.append("watch.begun", f"watch-{subject}", by=by, details=details)

    def some_cells(self, codes: tuple[str, ...], *, project: str = "xiaowei", user: str = "alice") -> None:
        """Executed cells, stored as the gateway stores them."""
        for code in codes:
            name = digest(code.encode())
            write_atomically(self.settings.airlock / "cells" / name, code.encode(), mode=0o600)
            details = {"project": project, "kernel": "k-1", "code": name, "tables": ["registration"]}
            by = Actor(user, Role.RESEARCHER)
            self.ledger.append("cell.executed", f"cell-{name}", by=by, details=details)
            read = {"project": project, "kernel": "k-1", "tables": {"loan_performance": "0" * 64}, "witness": "kernel"}
            self.ledger.append("cell.read", f"cell-{name}", by=by, details=read)
