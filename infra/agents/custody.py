"""The steps of custody: intake, release, what is read of the vault, and its part of a sweep."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.keys import KeyRing, SigningKey, load_secret
from credit.ledger import Ledger
from credit.requests.agent import Agent
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import ledger_path
from credit.requests.task import Handler, StepResult, Task
from credit.seal import Kind
from credit.settings import read
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from infra.agents.custody_supervision import count_commitments, count_theme_library, measure_quality
from infra.agents.deletion import delete_destroyed
from infra.desk.invented_home import InventedHome
from privacy.compaction import compact
from privacy.custody_vault import destroy_period, open_vault
from privacy.deliveries.holdings import holdings
from privacy.deliveries.listed import listed_delivery
from privacy.intake import mappings
from privacy.intake.intake import intake
from privacy.practice import practice
from privacy.quarantine.annotated import FORMS, write_annotated
from privacy.quarantine.listing import shown_rows, waiting_counts, waiting_rows
from privacy.quarantine.page import write_page
from privacy.release.policy import Policy
from privacy.release.release import release
from privacy.repairs_in_use import repair_records, withdraw_from_releases
from privacy.settings import CustodySettings
from privacy.vault import Vault

PURPOSES = ("research", "scoring", "inquiry")


@dataclass(frozen=True, slots=True)
class Custody:
    """Custody's folders, keys and ledger."""

    settings: CustodySettings
    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    vault: Vault
    home: InventedHome

    @classmethod
    def open(cls, settings: AgentSettings, env: Mapping[str, str]) -> Custody:
        """Load this zone's key and secrets."""
        own, ring = read(CustodySettings, env, "HAIHE_CUSTODY_"), KeyRing.load(settings.ring)
        key = SigningKey.load(own.keys, "custody")
        ledger = Ledger(own.ledger, key, ring, "custody")
        vault = open_vault(own, ledger)
        begun = Ledger(ledger_path(settings.ledgers, "desk"), None, ring, "desk")
        return cls(own, Shelf(own.shelf, ring), key, ledger, vault, InventedHome.of(begun, ledger))

    def for_purpose(self, purpose: str, task: Task) -> dict[str, Any]:
        """What a release of a purpose is made with."""
        return {
            "vault": self.vault,
            "policy": Policy.load(),
            "shelf": self.shelf,
            "key": self.key,
            "pseudonym_key": PseudonymKey(purpose, load_secret(self.settings.keys / f"pseudonym-{purpose}.key")),
            "ledger": self.ledger,
            "by": task.by,
        }

    def intake(self, task: Task) -> StepResult:
        """Check raw files and store their rows. ``paths`` and the file of a ``mapping`` are on custody's machine."""
        if mapping := task.arguments.get("mapping"):
            learnt = mappings.read_mapping(Path(mapping), catalogue_of(task))
            mappings.learn(learnt, vault=self.vault, ledger=self.ledger, by=task.by)
        paths = [Path(each) for each in task.arguments["paths"]]
        without = bool(task.arguments.get("without_earlier", False))
        delivered = listed_delivery(paths, self.vault, without_earlier=without)
        summary = intake(
            paths[0] if len(paths) == 1 else paths,
            catalogue=catalogue_of(task),
            vault=self.vault,
            ledger=self.ledger,
            by=task.by,
            today=task.today,
            progress=task.report,
            limits=self.settings.limits,
            numbered=delivered,
        )
        compact(self.vault, progress=task.report, limits=self.settings.limits)
        reasons: Counter[str] = Counter()
        for count in summary.tables.values():
            reasons.update(count.reasons)
        tables = {n: [t.rows_in, t.kept, t.duplicates, t.quarantined] for n, t in summary.tables.items()}
        counted = {"rows": summary.rows_in, "kept": summary.kept, "duplicates": summary.duplicates}
        counted |= {"quarantined": summary.quarantined, "files": len(summary.files)}
        messages = {reason: summary.messages[reason].as_json() for reason in reasons if reason in summary.messages}
        made = {"changed": summary.changed, "reasons": dict(reasons), "messages": messages, "tables": tables}
        ignored = {name: why.as_json() for name, why in summary.not_read.items()}
        # The name of a file may name a subject, so it goes to the person alone.
        private: dict[str, Any] = {"ignored": ignored}
        if delivered:
            made |= {"delivery": delivered.as_json(summary)}
            private["receipt"] = delivered.receipt(summary, today=task.today, key=self.key)
        waiting = waiting_counts(waiting_rows(self.vault))
        return StepResult({**counted, **made, "others": summary.others, "waiting": waiting}, private)

    def release(self, task: Task) -> StepResult:
        """Make a release for a purpose."""
        purpose = str(task.arguments["purpose"])
        if purpose not in PURPOSES:
            raise Malformed("custody.no-purpose", purpose=purpose, purposes=" or ".join(PURPOSES))
        catalogue = catalogue_of(task)
        seal = release(
            purpose=purpose,
            catalogue=catalogue,
            as_of=task.today,
            audience=str(task.arguments.get("audience", "")),
            invented=task.arguments["catalogue"] == "city" and self.home.is_invented(),
            progress=task.report,
            limits=self.settings.limits,
            **self.for_purpose(purpose, task),
        )
        rows = sum(table["rows"] for table in seal.terms["tables"].values())
        data = {"release": seal.id, "purpose": purpose, "rows": rows, "expires_on": seal.expires_on.isoformat()}
        return StepResult({**data, "catalogue": catalogue.version})

    def practice(self, task: Task) -> StepResult:
        """Make practice tables, of which no value comes from a record."""
        seal = practice(
            catalogue=catalogue_of(task),
            policy=Policy.load(),
            shelf=self.shelf,
            key=self.key,
            ledger=self.ledger,
            by=task.by,
            as_of=task.today,
            subjects=task.arguments["subjects"],
            seed=task.arguments["seed"],
            progress=task.report,
            limits=self.settings.limits,
        )
        rows = sum(table["rows"] for table in seal.terms["tables"].values())
        return StepResult({"practice": seal.id, "rows": rows, "expires_on": seal.expires_on.isoformat()})

    def repair(self, task: Task) -> StepResult:
        """End the publication of records, withhold their subjects, and amend the releases in use."""
        catalogue = catalogue_of(task)
        repaired = repair_records(
            task.arguments["documents"],
            on=task.arguments.get("on", ""),
            subject=str(task.arguments.get("subject", "")),
            table=str(task.arguments.get("table", "")),
            catalogue=catalogue,
            custody_of=lambda purpose: self.for_purpose(purpose, task),
            vault=self.vault,
            shelf=self.shelf,
            ledger=self.ledger,
            by=task.by,
            today=task.today,
            progress=task.report,
        )
        amended = self._amend(task, catalogue) if repaired.is_entered else None
        return StepResult(repaired.as_json() | (amended.as_json() if amended else {}))

    def withdraw(self, task: Task) -> StepResult:
        """Amend the releases in use by the repairs that came in."""
        return StepResult(self._amend(task, catalogue_of(task)).as_json())

    def _amend(self, task: Task, catalogue: Catalogue) -> Any:
        return withdraw_from_releases(
            catalogue=catalogue,
            custody_of=lambda purpose: self.for_purpose(purpose, task),
            shelf=self.shelf,
            today=task.today,
            progress=task.report,
            limits=self.settings.limits,
        )

    def quarantine(self, task: Task) -> StepResult:
        """Count the rows that wait in quarantine by table and reason.

        ``rows`` is the number of rows that the person who asked is shown, ``back`` a folder on custody's machine for
        the files that go back to the source units, ``page`` a file there for a page of the rows. What rows say goes to
        the person alone.
        """
        task.report("reading the quarantine", 0, 0)
        rows, private = waiting_rows(self.vault), dict[str, Any]()
        counted = Counter((row["table"], row["reason"]) for row in rows)
        messages = {row["reason"]: json.loads(row["message"]) for row in rows if row["message"]}
        result: dict[str, Any] = {"rows": len(rows), "waiting": waiting_counts(rows)}
        result["counts"] = [[n, t, r] for (t, r), n in counted.most_common()]
        if limit := int(task.arguments.get("rows", 0)):
            private["rows"] = shown_rows(rows[:limit], catalogue_of(task))
        if folder := str(task.arguments.get("back", "")):
            form = str(task.arguments.get("form", FORMS[0]))
            if form not in FORMS:
                raise Malformed("quarantine.no-form", form=form[:20], forms=", ".join(FORMS))
            private["files"] = [str(each) for each in write_annotated(rows, catalogue_of(task), Path(folder), form)]
        if page := str(task.arguments.get("page", "")):
            language, catalogue = str(task.arguments.get("language", "")), catalogue_of(task)
            write_page(shown_rows(rows, catalogue), catalogue, Path(page), language, task.today)
        return StepResult(result | {"messages": messages}, private=private)

    def quality(self, task: Task) -> StepResult:
        """Measure the data of licences and penalties in a month."""
        return measure_quality(self, task, catalogue_of(task))

    def commitments(self, task: Task) -> StepResult:
        """Count the commitments by agency."""
        return count_commitments(self, task, catalogue_of(task))

    def holdings(self, task: Task) -> StepResult:
        """Count what the vault has, and what each source unit delivered."""
        task.report("reading the list of files", 0, 0)
        counted = holdings(catalogue_of(task), self.vault)
        rows = sum(table["rows"] for table in counted["tables"])
        return StepResult({"rows": rows, "units": len(counted["units"])}, private=counted)

    def theme(self, task: Task) -> StepResult:
        """Count a theme library."""
        return count_theme_library(self, task, catalogue_of(task))

    def shred(self, task: Task) -> StepResult:
        """Destroy a period of a table for good; without a period, count the rows of each."""
        table, period = str(task.arguments["table"]), str(task.arguments["period"])
        task.report("reading the list of files", 0, 0)
        if not period:
            return StepResult({"periods": self.vault.periods(table)})
        rows = destroy_period(self.vault, self.ledger, table, period, by=task.by)
        return StepResult({"table": table, "period": period, "rows": rows})

    def subjects(self, task: Task) -> StepResult:
        """Read the codes of some subjects of a table, for the person who asked alone."""
        table, limit = str(task.arguments["table"]), int(task.arguments["limit"])
        task.report(f"reading {table}", 0, 0)
        code = catalogue_of(task).table(table).subject.column
        column = self.vault.read(table, [code]).column(code)
        codes = sorted(set(column.to_pylist()))
        chosen = codes[:: max(1, len(codes) // max(1, limit))][:limit]
        return StepResult({"count": len(chosen)}, private={"codes": chosen})

    def sandbox(self, task: Task) -> StepResult:
        """Read the codes of the invented firms for the invented bank of an invented city."""
        task.report("choosing the firms", 0, 0)
        catalogue = Catalogue.load("city")
        columns = {name: catalogue.table(name).subject.column for name in ("registration", "credit_repair")}
        codes, repaired = (
            [str(code) for code in self.vault.read(name, [column]).column(column).to_pylist()]
            for name, column in columns.items()
        )
        return StepResult({"count": len(codes)}, private={"codes": codes, "repaired": repaired})

    def sweep(self, task: Task) -> StepResult:
        """Delete the files of the releases and practice tables whose destruction the platform has recorded."""
        return StepResult({"freed": delete_destroyed(self.shelf, task, {Kind.RELEASE, Kind.PRACTICE})})


def catalogue_of(task: Task) -> Catalogue:
    """The catalogue that a request names: one of ours, or a folder on the machine of custody."""
    name = str(task.arguments.get("catalogue", "city"))
    folder = Path(name)
    return Catalogue.load(folder.name, folder) if folder.is_dir() and "/" in name else Catalogue.load(name)


def open_agent(settings: AgentSettings, env: Mapping[str, str]) -> Agent:
    """The agent of custody."""
    custody = Custody.open(settings, env)
    measures = (custody.quality, custody.commitments, custody.theme, custody.holdings)
    steps = (custody.intake, custody.release, custody.repair, custody.withdraw, custody.quarantine, custody.subjects)
    return Agent.open(
        "custody",
        settings,
        {
            step.__name__: Handler(step)
            for step in (*steps, *measures, custody.practice, custody.sandbox, custody.shred, custody.sweep)
        },
    )
