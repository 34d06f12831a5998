"""Dossiers (信用档案): the public records of every subject, sealed for the service to look up by subject key.

Its files are described in :mod:`models.scoring.snapshot_layout`. It is a SNAPSHOT of its own, made from an inquiry
release alone: no feature and no score can be joined to it, because subjects have other keys there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from credit.actor import Actor
from credit.canonical import canonical
from credit.errors import Malformed, Refused
from credit.fields import INQUIRY
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.messages import Text
from credit.seal import Kind, Seal
from credit.shelf import OpenedSeal, Shelf
from models.features.duckdb_engine import Limits, engine, quote_identifier
from models.features.views import bucket_file
from models.scoring.snapshot_layout import (
    DOSSIERS_FILE,
    INDEX_FILE,
    OFFSET_BYTES,
    OFFSET_ORDER,
    OFFSETS_FILE,
    SUBJECTS_FILE,
)
from models.snapshots.pointers import DOSSIERS
from models.snapshots.reuse import reusable_dossiers

TIME_COLUMNS = ("_happened", "_ends")
INDEX_KEYS = ("title", "english", "source", "shown", "document", "scope", "with_mandate", "state", "repairable")


def make_dossiers(
    *,
    release: OpenedSeal,
    shelf: Shelf,
    key: SigningKey,
    by: Actor,
    ledger: Ledger,
    today: date,
    limits: Limits | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    previous: OpenedSeal | None = None,
) -> Seal:
    """Seal the dossiers of a release; the same release gives the same seal.

    ``previous`` are verified dossiers whose unchanged buckets are reused, which changes no byte. Raises
    :class:`~credit.errors.Lapsed` when the release has ended by ``today``, :class:`Malformed` when it is for another
    purpose,
    and :class:`Refused` when it contains no subject.
    """
    release.seal.require_not_expired(today)
    release_terms = release.seal.terms
    if release_terms["purpose"] != INQUIRY:
        raise Malformed("credit-files.dossiers-made-inquiry-release", data=release_terms["purpose"])
    index = {name: _index_entry(table) for name, table in sorted(release_terms["tables"].items())}
    reused = {} if previous is None else reusable_dossiers(previous, release, shelf)
    with shelf.staging() as folder:
        count = 0
        with ExitStack() as files:
            keys, offsets, text = (
                files.enter_context((folder / name).open("wb")) for name in (SUBJECTS_FILE, OFFSETS_FILE, DOSSIERS_FILE)
            )
            for bucket in range(release_terms["buckets"]):
                if progress:
                    progress("dossiers", bucket, release_terms["buckets"])
                dossiers = reused.get(bucket) or _bucket_dossiers(release.path, release_terms["tables"], bucket, limits)
                count += _write_dossiers(dossiers, keys, offsets, text)
            offsets.write(text.tell().to_bytes(OFFSET_BYTES, OFFSET_ORDER))
        if not count:
            raise Refused("credit-files.no-dossiers-to-make")
        (folder / INDEX_FILE).write_bytes(canonical(index))
        terms = {
            "as_of": release_terms["as_of"],
            "model": DOSSIERS,
            "release": release.seal.id,
            "subjects": count,
            "invented": bool(release_terms.get("invented", False)),
            **({"notice": release_terms["notice"]} if "notice" in release_terms else {}),
        }
        seal = shelf.put(
            folder,
            Kind.SNAPSHOT,
            parents=(release.seal.id,),
            terms=terms,
            expires_on=release.seal.expires_on,
            by=by,
            key=key,
        )
    details = {"release": release.seal.id, "as_of": release_terms["as_of"], "subjects": count}
    ledger.append("dossiers.made", seal.id, by=by, details=details)
    return seal


def _index_entry(table: Mapping[str, Any]) -> dict[str, Any]:
    columns = [name for name in table["order"] if name in table["columns"]]
    described = {name: table[name] for name in INDEX_KEYS} | {"columns": columns}
    return described | {"certificate": bool(table.get("certificate", False))}


def _bucket_dossiers(
    folder: Path, tables: Mapping[str, Any], bucket: int, limits: Limits | None
) -> list[tuple[bytes, bytes]]:
    """The dossiers of one bucket, sorted by key; buckets are by the first byte of the key."""
    records_by_subject: dict[str, dict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
    with engine(limits, subject=Text.of("duckdb-engine.reading-records")) as database:
        for name, table in sorted(tables.items()):
            types = table["columns"]
            wanted = [
                "subject",
                *(column for column in TIME_COLUMNS if column in types),
                *_index_entry(table)["columns"],
            ]
            database.read_parquet(name, bucket_file(folder, name, bucket), {column: types[column] for column in wanted})
            times = [quote_identifier(column) if column in types else "NULL" for column in TIME_COLUMNS]
            columns_sql = ", ".join(["subject", *times, *map(quote_identifier, _index_entry(table)["columns"])])
            for subject, *record in database.fetch_rows(f"SELECT {columns_sql} FROM {quote_identifier(name)}"):
                records_by_subject[subject][name].append([_as_plain_value(value) for value in record])
    for dossier in records_by_subject.values():
        for records in dossier.values():
            records.sort(key=lambda record: record[0] or "", reverse=True)
    return [(bytes.fromhex(subject), canonical(records_by_subject[subject])) for subject in sorted(records_by_subject)]


def _write_dossiers(dossiers: Iterable[tuple[bytes, bytes]], keys: BinaryIO, offsets: BinaryIO, text: BinaryIO) -> int:
    count = 0
    for subject, content in dossiers:
        keys.write(subject)
        offsets.write(text.tell().to_bytes(OFFSET_BYTES, OFFSET_ORDER))
        text.write(content)
        count += 1
    return count


def _as_plain_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
