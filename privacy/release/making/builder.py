"""The files of one release: each table through its rules, and bucket by bucket where no row depends on another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from credit.catalogue import Catalogue, Table
from credit.errors import Malformed
from credit.fields import INQUIRY
from credit.subjects import PseudonymKey
from privacy import catalogue_roles
from privacy.duckdb_engine import Engine, quoted
from privacy.release import column_rules, exclusion_rules, pseudonyms, release_format
from privacy.release.disclosure_scan import quasi_columns
from privacy.release.generalise import mask_rare_values, recode
from privacy.release.inquiry_visibility import visibility
from privacy.release.making import dividing
from privacy.release.making.journal import ReleaseJournal
from privacy.release.policy import Policy, PurposePolicy
from privacy.vault import Vault


@dataclass(slots=True)
class ReleaseBuilder:
    """Writes the files of one release."""

    run: Engine
    catalogue: Catalogue
    vault: Vault
    policy: PurposePolicy
    journal: ReleaseJournal
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
        """Write the bucket files of a table, or of what is left of it by a process that was killed.

        The register comes first: a subject that it suppresses is left out of every other table, also as another party.
        Then it is made from the start, since the other tables need to know whom it suppresses.
        """
        is_register = table is catalogue_roles.register_table(self.catalogue)
        suppresses = is_register and self.policy.k > 1
        finished = None if suppresses else self.journal.finished_table(table.name)
        names = {release_format.bucket_file(table.name, bucket) for bucket in range(self.buckets)}
        if finished is None or names - self.journal.finished_files(table.name):
            quasi = [field for field in table.fields if field.role == "quasi"]
            needs_all = suppresses or (self.policy.small_cell > 1 and quasi)
            finished = self._made_whole(table, is_register) if needs_all else self._made_by_bucket(table)
            self.journal.enter_table(table.name, finished)
        self.table_terms[table.name] = finished["terms"]
        if finished["left_out"]:
            self.left_out[table.name] = finished["left_out"]
        if finished["generalised"]:
            self.generalised[table.name] = finished["generalised"]

    def _made_by_bucket(self, table: Table) -> dict[str, Any]:
        """Write a table of which no row depends on the others, bucket by bucket."""
        purpose, parts = self.policy.purpose, self.journal.parts(table.name)
        why = exclusion_rules.exclusion_reason(table, as_of=self.as_of, purpose=purpose)
        finished = self.journal.finished_files(table.name)
        names = {bucket: release_format.bucket_file(table.name, bucket) for bucket in range(self.buckets)}
        missing = [bucket for bucket, name in names.items() if name not in finished]
        (self.journal.files / table.name).mkdir(exist_ok=True)
        self.run.register("raw", self.vault.batches(table.name, self._columns(table)))
        query = release_format.rows_sql(table, purpose, buckets=self.buckets, why=why)
        types = self.run.columns(f"SELECT * EXCLUDE (_bucket, _why) FROM ({query})")
        with dividing.divided(self.run, query, parts, missing) as counts:
            self.run.unregister("raw")
            for bucket in missing:
                with dividing.registered_part(self.run, "part", dividing.part(parts, bucket)):
                    release_format.write_bucket(self.run, "SELECT * FROM part", self.journal.files / names[bucket])
                self.journal.enter_file(table.name, names[bucket])
        rows = counts.pop("", 0)
        return {"terms": self._terms(table, rows, types), "left_out": dict(sorted(counts.items())), "generalised": {}}

    def _made_whole(self, table: Table, is_register: bool) -> dict[str, Any]:
        """Write a table whose rows are generalised together: its values are counted over all of it first."""
        excluded = self._read_whole(table)
        types = self.run.columns("SELECT * EXCLUDE (_bucket) FROM made")
        quasi = quasi_columns(table, self.policy.purpose, types)
        texts = [column for column in quasi if types[column] == "VARCHAR"]
        replaced: dict[str, Any] = {}
        if is_register:
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
        release_format.write_buckets(self.run, "made", self.journal.files / table.name, self.buckets)
        for bucket in range(self.buckets):
            self.journal.enter_file(table.name, release_format.bucket_file(table.name, bucket))
        rows = int(self.run.one("SELECT count(*) FROM made"))
        self.run.execute("DROP TABLE made")
        generalised = {name: replaced.get(name, 0) + masked.get(name, 0) for name in {*replaced, *masked}}
        return {"terms": self._terms(table, rows, types), "left_out": excluded, "generalised": generalised}

    def _read_whole(self, table: Table) -> dict[str, int]:
        """Create ``made``, the rows of a table in the release; returns the number of records left out by reason."""
        purpose = self.policy.purpose
        why = exclusion_rules.exclusion_reason(table, as_of=self.as_of, purpose=purpose)
        self.run.register("raw_records", self.vault.batches(table.name, self._columns(table)))
        self.run.execute(
            f"CREATE OR REPLACE TEMP TABLE raw AS SELECT *, CAST({why} AS VARCHAR) AS _why FROM raw_records t"
        )
        self.run.unregister("raw_records")
        excluded = dict(self.run.rows("SELECT _why, count(*) FROM raw WHERE _why IS NOT NULL GROUP BY 1 ORDER BY 1"))
        rows = release_format.rows_sql(table, purpose, buckets=self.buckets)
        is_kept = "t._why IS NULL AND s.key NOT IN (SELECT subject FROM suppressed)"
        self.run.execute(f"CREATE OR REPLACE TEMP TABLE made AS {rows} WHERE {is_kept}")
        self.run.execute("DROP TABLE raw")
        return excluded

    def _terms(self, table: Table, rows: int, types: dict[str, str]) -> dict[str, Any]:
        dated = column_rules.time_columns_sql(table, self.policy.purpose) is not None
        terms = {"rows": rows, "dated": dated, "columns": types, "market": table.market, "usage": str(table.usage)}
        return terms | (visibility(table) if self.policy.purpose == INQUIRY else {})

    def _columns(self, table: Table) -> list[str]:
        """The stored columns that a release, or what decides whether a record is in it, can read."""
        stored = set(self.vault.columns(table.name))
        return [field.column for field in table.fields if field.column in stored]
