"""Release (数据发布): a sealed, desensitised copy of the records that may leave custody for a purpose on a day.

Repaired and disputed records are left out, for scoring and inquiry also ended ones. Subjects get pseudonyms under the
purpose's key, every value is changed by its rule, the register is made k-anonymous, and the gate checks the files
before they are sealed. The same records, keys, catalogue, policy and day give the same bytes and so the same id.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta

from credit.actor import Actor, Role
from credit.canonical import digest_json
from credit.catalogue import Catalogue, Table
from credit.errors import Malformed, Missing, Refused
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.seal import Kind, Seal
from credit.shelf import Shelf
from credit.subjects import PseudonymKey
from credit.suppression import Notice
from privacy import catalogue_roles
from privacy.disclosure import release_gate
from privacy.duckdb_engine import Limits, engine
from privacy.release import exclusion_rules, release_format
from privacy.release.disclosure_scan import scan_release
from privacy.release.making.builder import ReleaseBuilder
from privacy.release.making.journal import ReleaseJournal
from privacy.release.policy import Policy
from privacy.storage.change import WHOLE
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
    files; one that is killed leaves what it has finished, and the next one with the same records, rules and keys makes
    the rest.
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
    with (
        vault.exclusive(),
        _journal(tables, vault, catalogue, policy, purpose, shelf, pseudonym_key, as_of) as journal,
        engine(limits) as run,
    ):
        exclusion_rules.register_repairs(run, catalogue, vault, as_of=as_of)
        notice = Notice.read(shelf, purpose).covered_number(
            as_of
        )  # read under the lock: the vault has every repair of the notices so far
        builder = ReleaseBuilder(run, catalogue, vault, thresholds, journal, as_of)
        builder.write(tables, policy, pseudonym_key, progress)
        verdict = release_gate(thresholds.thresholds).judge(
            scan_release(run, journal.files, catalogue, purpose), requested_by=by, reviewer=GATE
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
            journal.files,
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


@contextmanager
def _journal(
    tables: list[Table],
    vault: Vault,
    catalogue: Catalogue,
    policy: Policy,
    purpose: str,
    shelf: Shelf,
    key: PseudonymKey,
    as_of: date,
) -> Iterator[ReleaseJournal]:
    """What an earlier process has finished of the same release; the caller has exclusive access to the vault.

    A release is the same one when the stored files, the rules as SQL, the policy, the day and the key are.
    """
    stored = vault.files().tables
    depends_on = {
        "files": {name: [(each.id, each.replaced) for each in stored[name]] for name in sorted(stored)},
        "catalogue": [catalogue.name, catalogue.version],
        "rules": [
            (
                release_format.rows_sql(table, purpose, buckets=0),
                exclusion_rules.exclusion_reason(table, as_of=as_of, purpose=purpose),
            )
            for table in tables
        ],
        "policy": [asdict(policy.of(purpose)), policy.bucket_sizes, policy.bucket_subjects, policy.bucket_rows],
        "as_of": as_of.isoformat(),
        "key": key.hex_of("a release that is being made"),
    }
    plan = digest_json(depends_on)
    with shelf.resumable(f"release-{plan}") as folder:
        yield ReleaseJournal(folder, plan, vault.keys.key_or_new("_release", WHOLE))
