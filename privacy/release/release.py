"""Release (数据发布): a sealed, desensitised copy of the records that may leave custody for a purpose on a day.

Repaired and disputed records are left out, for scoring and inquiry also ended ones. Subjects get pseudonyms under the
purpose's key, every value is changed by its rule, the register is made k-anonymous, and the gate checks the files
before they are sealed. The same records, keys, catalogue, policy and day give the same bytes and so the same id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.catalogue import Catalogue, Table
from credit.errors import Malformed, Missing, Refused
from credit.fields import INQUIRY
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.suppression import Notice
from privacy import catalogue_roles
from privacy.disclosure import release_gate
from privacy.duckdb_engine import Engine, Limits, engine, quoted
from privacy.release import column_rules, exclusion_rules, pseudonyms, release_format
from privacy.release.disclosure_scan import quasi_columns, scan_release
from privacy.release.generalise import mask_rare_values, recode
from privacy.release.inquiry_visibility import visibility
from privacy.release.policy import Policy, PurposePolicy
from privacy.vault import Vault

GATE = Actor("release-gate", Role.SERVICE)


def release(
    *,
    purpose: str,
    catalogue: Catalogue,
    vault: Vault,
    policy: Policy,
    shelf: Shelf,
    key: SigningKey,
    pseudonym_key: PseudonymKey,
    ledger: Ledger,
    by: Actor,
    as_of: date,
    audience: str = "",
    invented: bool = False,
    progress: catalogue_roles.Progress = catalogue_roles.no_progress,
    limits: Limits | None = None,
) -> Seal:
    """Make a release for ``purpose`` with data as of a day. ``invented`` marks records that are of no real city.

    Without an ``audience`` it is for this lab's compute. A release for another audience has pseudonyms of its own; its
    purpose in the terms names the audience, so that no part of this lab uses it. Only a purpose whose releases are
    k-anonymous has other audiences.

    Raises :class:`Refused` with the findings when a check of the gate fails, :class:`Missing` when the vault has no
    table to release, and :class:`Malformed` for a purpose, rule or key that does not fit. A failed release leaves no
    files.
    """
    if pseudonym_key.purpose != purpose:
        raise Malformed("release.pseudonym-key-another-purpose", purpose=purpose)
    thresholds = policy.of(purpose)
    if audience and thresholds.k == 1:
        raise Refused("release.audience-of-purpose", purpose=purpose)
    if audience:
        pseudonym_key = pseudonym_key.for_audience(audience)
    tables = tables_to_release(catalogue, vault, purpose)
    if not tables:
        raise Missing("release.nothing-to-release")
    with vault.exclusive(), shelf.staging() as folder, engine(limits) as run:
        exclusion_rules.register_repairs(run, catalogue, vault, as_of=as_of)
        notice = Notice.read(shelf, purpose).covered_number(
            as_of
        )  # read under the lock: the vault has every repair of the notices so far
        builder = ReleaseBuilder(run, catalogue, vault, thresholds, folder, as_of)
        builder.write(tables, policy, pseudonym_key, progress)
        verdict = release_gate(thresholds.thresholds).judge(
            scan_release(run, folder, catalogue, purpose), requested_by=by, reviewer=GATE
        )
        verdict.require()
        terms = {
            "purpose": pseudonym_key.purpose,
            **({"audience": audience} if audience else {}),
            "as_of": as_of.isoformat(),
            "catalogue": {"name": catalogue.name, "version": catalogue.version},
            "buckets": builder.buckets,
            "k": thresholds.k,
            "invented": invented,
            "tables": builder.table_terms,
            "left_out": builder.left_out,
            "generalised": builder.generalised,
            "verdict": verdict.as_json(),
            **({"notice": notice} if notice else {}),
        }
        seal = shelf.put(
            folder,
            Kind.RELEASE,
            parents=(),
            terms=terms,
            expires_on=as_of + timedelta(days=thresholds.expires_after_days),
            by=by,
            key=key,
        )
    named = ("purpose", "audience") if audience else ("purpose",)
    details = {name: terms[name] for name in (*named, "as_of", "catalogue", "k", "invented", "left_out")}
    ledger.append("release.made", seal.id, by=by, details=details | {"verdict": terms["verdict"]})
    progress("release", len(tables) + 1, len(tables) + 1)
    return seal


def tables_to_release(catalogue: Catalogue, vault: Vault, purpose: str) -> list[Table]:
    """The stored tables with a rule for their subject, the register first. The table of repairs itself never leaves."""
    stored, repairs = set(vault.names()), catalogue_roles.repairs_table(catalogue)
    return [
        table
        for table in catalogue_roles.intake_order(catalogue)
        if table.name in stored and table is not repairs and table.subject.rule(purpose) == "subject"
    ]


@dataclass(slots=True)
class ReleaseBuilder:
    """Writes the files of one release."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    policy: PurposePolicy
    folder: Path
    as_of: date
    buckets: int = 1
    table_terms: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    generalised: dict[str, Any] = field(default_factory=dict)

    def write(self, tables: list[Table], policy: Policy, key: PseudonymKey, progress: catalogue_roles.Progress) -> None:
        """Write the files of these tables, the register first."""
        progress("pseudonyms", 0, len(tables) + 1)
        self.prepare(tables, policy, key)
        for number, table in enumerate(tables):
            progress(f"releasing {table.name}", number + 1, len(tables) + 1)
            self.table(table)

    def prepare(self, tables: list[Table], policy: Policy, key: PseudonymKey) -> None:
        """Compute the pseudonyms of all codes and choose the number of buckets.

        Raises :class:`Malformed` for a table whose records can be repaired and that names another party.
        """
        purpose, codes, subjects = self.policy.purpose, list[pseudonyms.Codes](), []
        for table in tables:
            relation = quoted(f"codes_{table.name}")
            of_table = release_format.pseudonymised_codes(table, purpose, relation)
            names = list(dict.fromkeys(each.column for each in of_table))
            self.run.register("stored_codes", self.vault.batches(table.name, names))
            columns = ", ".join(map(quoted, names))
            self.run.execute(
                f"CREATE TEMP TABLE {relation} AS SELECT {columns}, count(*) AS _rows FROM stored_codes GROUP BY ALL"
            )
            self.run.unregister("stored_codes")
            if table.repair_document and any(each.party for each in of_table):
                # A withdrawal makes the rows of such a table again, and does not know whom the register left out.
                raise Malformed("release.other-party-in-repairable-table", table_name=table.name)
            codes += of_table
            subjects.append(f"SELECT {quoted(table.subject.column)} AS code, _rows FROM {relation}")
        pseudonyms.assign(self.run, codes, key)
        rows = self.run.rows(
            "SELECT byte, count(DISTINCT code), CAST(sum(_rows) AS BIGINT) "
            f"FROM pseudonym JOIN ({' UNION ALL '.join(subjects)}) USING (code) WHERE party = '' GROUP BY 1"
        )
        counted = {byte: counts for byte, *counts in rows}
        by_byte = [counted.get(byte, [0, 0]) for byte in range(256)]
        self.buckets = policy.buckets([subjects for subjects, _ in by_byte], [rows for _, rows in by_byte])
        for table in tables:
            self.run.execute(f"DROP TABLE {quoted(f'codes_{table.name}')}")
        self.run.execute("CREATE TEMP TABLE suppressed (subject VARCHAR)")
        self.run.execute("CREATE TEMP TABLE suppressed_codes (code VARCHAR)")

    def table(self, table: Table) -> None:
        """Write the bucket files of a table.

        The register comes first: a subject that it suppresses is left out of every other table, also as another party.
        """
        self.run.execute(f"CREATE OR REPLACE TEMP TABLE made AS {self._rows_sql(table)}")
        types = self.run.columns("SELECT * EXCLUDE (_bucket) FROM made")
        quasi = quasi_columns(table, self.policy.purpose, types)
        texts = [column for column in quasi if types[column] == "VARCHAR"]
        replaced: dict[str, Any] = {}
        if table is catalogue_roles.register_table(self.catalogue):
            order = [column for column in self.policy.generalise if column in quasi]
            order += [column for column in quasi if column not in order]
            recoded = recode(self.run, "made", order, k=self.policy.k)
            replaced = dict(recoded.by_column)
            self.run.execute(
                "INSERT INTO suppressed_codes SELECT code FROM pseudonym WHERE party = '' AND key IN (FROM suppressed)"
            )
            if recoded.suppressed:
                replaced["suppressed_subjects"] = recoded.suppressed
        masked = mask_rare_values(self.run, "made", texts, small_cell=self.policy.small_cell)
        if masked or replaced:
            self.generalised[table.name] = {
                name: replaced.get(name, 0) + masked.get(name, 0) for name in {*replaced, *masked}
            }
        self._write(table.name)
        rows = int(self.run.one("SELECT count(*) FROM made"))
        dated = column_rules.time_columns_sql(table, self.policy.purpose) is not None
        described = {"rows": rows, "dated": dated, "columns": types, "market": table.market, "usage": str(table.usage)}
        self.table_terms[table.name] = described
        if self.policy.purpose == INQUIRY:
            self.table_terms[table.name] |= visibility(table)
        self.run.execute("DROP TABLE made")

    def _rows_sql(self, table: Table) -> str:
        """SQL for the rows of a table in the release; the records left out are counted by reason in ``left_out``."""
        purpose = self.policy.purpose
        why = exclusion_rules.exclusion_reason(table, as_of=self.as_of, purpose=purpose)
        read = f"CREATE OR REPLACE TEMP TABLE raw AS SELECT *, CAST({why} AS VARCHAR) AS _why FROM raw_records t"
        self.run.register("raw_records", self.vault.batches(table.name, self._columns(table)))
        self.run.execute(read)
        self.run.unregister("raw_records")
        excluded = dict(self.run.rows("SELECT _why, count(*) FROM raw WHERE _why IS NOT NULL GROUP BY 1 ORDER BY 1"))
        if excluded:
            self.left_out[table.name] = excluded
        rows = release_format.rows_sql(table, purpose, buckets=self.buckets)
        return f"{rows} WHERE t._why IS NULL AND s.key NOT IN (SELECT subject FROM suppressed)"

    def _columns(self, table: Table) -> list[str]:
        """The stored columns that a release, or what decides whether a record is in it, can read."""
        stored = set(self.vault.columns(table.name))
        return [field.column for field in table.fields if field.column in stored]

    def _write(self, name: str) -> None:
        self.run.execute("DROP TABLE IF EXISTS raw")
        release_format.write_buckets(self.run, "made", self.folder / name, self.buckets)
