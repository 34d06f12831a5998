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
from models.features.duckdb_engine import Limits, engine, quoted
from models.features.views import bucket_file
from models.scoring.snapshot_layout import (
    DOSSIERS_FILE,
    INDEX_FILE,
    OFFSET_BYTES,
    OFFSET_ORDER,
    OFFSETS_FILE,
    SUBJECTS_FILE,
)
from models.snapshots.reuse import dossiers_taken_over

DOSSIERS = "dossiers"  # in the place of a model's name: in the seal's terms and the pointer's
TIMES = ("_happened", "_ends")
KEPT = ("title", "english", "source", "shown", "document", "scope", "with_mandate", "state", "repairable")


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
    before: OpenedSeal | None = None,
) -> Seal:
    """Seal the dossiers of a release; the same release gives the same seal.

    ``before`` are verified dossiers from which buckets that are the same are taken, which changes no byte.
    Raises :class:`~credit.errors.Lapsed` when it has ended by ``today``, :class:`Malformed` when it is of another
    purpose, and :class:`Refused` when nobody is in it.
    """
    release.seal.require_not_expired(today)
    told = release.seal.terms
    if told["purpose"] != INQUIRY:
        raise Malformed("credit-files.dossiers-made-inquiry-release", data=told["purpose"])
    index = {name: _indexed(table) for name, table in sorted(told["tables"].items())}
    taken = {} if before is None else dossiers_taken_over(before, release, shelf)
    with shelf.staging() as made:
        count = 0
        with ExitStack() as files:
            keys, offsets, text = (
                files.enter_context((made / name).open("wb")) for name in (SUBJECTS_FILE, OFFSETS_FILE, DOSSIERS_FILE)
            )
            for bucket in range(told["buckets"]):
                if progress:
                    progress("dossiers", bucket, told["buckets"])
                found = taken.get(bucket) or _bucket(release.path, told["tables"], bucket, limits)
                count += _append(found, keys, offsets, text)
            offsets.write(text.tell().to_bytes(OFFSET_BYTES, OFFSET_ORDER))
        if not count:
            raise Refused("credit-files.no-dossiers-to-make")
        (made / INDEX_FILE).write_bytes(canonical(index))
        terms = {
            "as_of": told["as_of"],
            "model": DOSSIERS,
            "release": release.seal.id,
            "subjects": count,
            "invented": bool(told.get("invented", False)),
            **({"notice": told["notice"]} if "notice" in told else {}),
        }
        seal = shelf.put(
            made,
            Kind.SNAPSHOT,
            parents=(release.seal.id,),
            terms=terms,
            expires_on=release.seal.expires_on,
            by=by,
            key=key,
        )
    details = {"release": release.seal.id, "as_of": told["as_of"], "subjects": count}
    ledger.append("dossiers.made", seal.id, by=by, details=details)
    return seal


def point_dossiers(shelf: Shelf, seal: Seal, *, key: SigningKey) -> dict[str, Any]:
    """Say, in the platform's name, that these are the dossiers that inquiries are answered from."""
    told = {"model": DOSSIERS, "as_of": seal.terms["as_of"], "snapshot": seal.id}
    return shelf.set_pointer(f"snapshot-{DOSSIERS}", told, key)


def _indexed(table: Mapping[str, Any]) -> dict[str, Any]:
    columns = [name for name in table["order"] if name in table["columns"]]
    return {name: table[name] for name in KEPT} | {"columns": columns}


def _bucket(folder: Path, tables: Mapping[str, Any], bucket: int, limits: Limits | None) -> list[tuple[bytes, bytes]]:
    """The dossiers of one bucket by key; buckets are by the first byte of the key, so their order is the keys'."""
    found: dict[str, dict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
    with engine(limits, what=Text.of("duckdb-engine.reading-records")) as run:
        for name, table in sorted(tables.items()):
            types = table["columns"]
            wanted = ["subject", *(column for column in TIMES if column in types), *_indexed(table)["columns"]]
            run.read(name, bucket_file(folder, name, bucket), {column: types[column] for column in wanted})
            times = [quoted(column) if column in types else "NULL" for column in TIMES]
            given = ", ".join(["subject", *times, *map(quoted, _indexed(table)["columns"])])
            for subject, *record in run.rows(f"SELECT {given} FROM {quoted(name)}"):
                found[subject][name].append([_plain(value) for value in record])
    for dossier in found.values():
        for records in dossier.values():
            records.sort(key=lambda record: record[0] or "", reverse=True)
    return [(bytes.fromhex(subject), canonical(found[subject])) for subject in sorted(found)]


def _append(dossiers: Iterable[tuple[bytes, bytes]], keys: BinaryIO, offsets: BinaryIO, text: BinaryIO) -> int:
    count = 0
    for subject, said in dossiers:
        keys.write(subject)
        offsets.write(text.tell().to_bytes(OFFSET_BYTES, OFFSET_ORDER))
        text.write(said)
        count += 1
    return count


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
