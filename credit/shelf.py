"""Shelf: the store in which zones leave sealed folders for each other. A folder appears whole or not at all.

::

    <root>/<kind>/<64 hex>/manifest.json     the signed manifest
    <root>/<kind>/<64 hex>/…                 the files it names
    <root>/pointers/<name>.json              a signed record of which seal is current, with a sequence number
    <root>/.making/…                         folders in preparation; deleted when their process has ended,
                                             or resumed by the next one where they have a name
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from credit.actor import Actor
from credit.canonical import canonical, digest
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Lapsed, Malformed, Missing
from credit.files import sync_folder, write_atomically
from credit.keys import KeyRing, SigningKey
from credit.messages import Text
from credit.seal import Kind, Seal, from_envelope, require_signer, seal_id_of, to_envelope

MANIFEST = "manifest.json"
POINTER = "application/vnd.haihe.pointer+json"
DESTROYED, DESTROYERS = "destroyed", frozenset({"platform"})  # the pointer that records the destruction of a seal
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OpenedSeal:
    """A sealed folder whose signature has been verified, and also every file unless it was opened with deep=False."""

    seal: Seal
    path: Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of sealed folders. ``ring`` holds the public keys for verifying signatures."""

    root: Path
    ring: KeyRing

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty folder for preparing a seal; it is deleted afterwards unless it was passed to :meth:`put`."""
        area = self.root / ".making"
        area.mkdir(parents=True, exist_ok=True)
        _delete_abandoned(area)
        folder = area / f"{os.getpid()}-{uuid.uuid4().hex}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def resumable(self, name: str) -> Iterator[Path]:
        """A folder for preparing a seal that a killed process leaves to the next one with the same ``name``.

        It is deleted when the block ends, with or without an error. Folders of other names with the same word before
        the first hyphen are deleted: the caller has exclusive access to all of that word.
        """
        area, word = self.root / ".making", name.partition("-")[0]
        folder = area / name
        folder.mkdir(parents=True, exist_ok=True)
        for other in area.glob(f"{word}-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(
        self,
        folder: Path,
        kind: Kind,
        *,
        parents: tuple[str, ...],
        terms: Mapping[str, Any],
        expires_on: date,
        by: Actor,
        key: SigningKey,
        reused: Mapping[str, str] = _NOTHING,
    ) -> Seal:
        """Seal the files in ``folder`` and move it onto the shelf atomically.

        The same content put twice is one seal, and the first maker stays its maker. ``reused`` maps the files reused
        from another seal to the digests in its manifest. Raises :class:`Broken` when one of them has changed, or when
        ``key`` may not sign this kind.
        """
        require_signer(kind, key)  # checked first, also when the same content exists already
        plain = json.loads(canonical(terms))
        files = {name: digest(folder / name) for name in _names(folder)}
        if changed := sum(files.get(name) != wanted for name, wanted in reused.items()):
            raise Broken("shelf.taken-files-changed", kind=kind.text, changed=changed)
        seal_id = seal_id_of(kind, parents, expires_on, plain, files)
        folder_on_shelf = self.folder_of(seal_id)
        if not folder_on_shelf.exists():
            seal = Seal(seal_id, kind, parents, by, datetime.now(UTC).replace(microsecond=0), expires_on, plain, files)
            write_atomically(folder / MANIFEST, canonical(to_envelope(seal, key)))
            for name in files:
                _sync(folder / name)
            folder_on_shelf.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(folder, folder_on_shelf)
            except OSError:
                if not folder_on_shelf.exists():  # another process put the same content first: its folder stays
                    raise
            sync_folder(folder_on_shelf.parent)
        return self.open(seal_id, deep=False).seal

    def open(self, name: str, *, today: date | None = None, deep: bool = True) -> OpenedSeal:
        """Open a seal by its id or an unambiguous prefix of it, and verify it.

        ``deep`` verifies the digest of every file; with ``today`` an expired seal is refused (:class:`Lapsed`). Raises
        :class:`Missing`, :class:`Broken`, or :class:`Malformed` when several seals have the prefix. A seal whose files
        were destroyed (:mod:`credit.destruction`) is :class:`Lapsed`, and can still be opened with ``deep=False``.
        """
        place = self.folder_of(self._resolve(name))
        seal = self._manifest(place)
        if place.name != seal.id.partition("-")[2]:
            raise Broken("shelf.wrong-place", place_name=place.name[:12], seal_short=seal.short)
        if deep:
            if (record := self.pointer(f"{DESTROYED}-{seal.id}", DESTROYERS)) is not None:
                raise Lapsed("shelf.destroyed", kind=seal.kind.text, seal_short=seal.short, word=record["on"])
            verify_files(seal, place)
        if today is not None:
            seal.require_not_expired(today)
        return OpenedSeal(seal, place)

    def list(self, kind: Kind) -> list[Seal]:
        """Every seal of a kind, the oldest first; signatures are verified, files are not. Raises :class:`Broken`."""
        places = (self.root / kind).glob("*") if (self.root / kind).is_dir() else ()
        return sorted((self._manifest(place) for place in places), key=lambda seal: (seal.made_at, seal.id))

    def set_pointer(self, name: str, payload: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
        """Write the signed pointer ``name`` atomically, with a sequence number one higher than the last; returns it."""
        path = self.root / "pointers" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with (path.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.pointer(name, {key.zone})
            pointer = {**payload, "name": name, "sequence": (before["sequence"] if before else 0) + 1}
            write_atomically(path, canonical(sign_envelope(pointer, POINTER, key)))
        return pointer

    def pointer(self, name: str, zones: Collection[str]) -> dict[str, Any] | None:
        """The current pointer ``name``, or None when it was never set.

        Raises :class:`Broken` unless a key of one of ``zones`` signed it under this name.
        """
        path = self.root / "pointers" / f"{name}.json"
        if not path.exists():
            return None
        payload = verify_envelope(_read_json(path), POINTER, self.ring, zones)
        if payload.get("name") != name:
            raise Broken("shelf.pointer-copied", name=name)
        return payload

    def pointer_names(self, prefix: str) -> Sequence[str]:
        """The names of the pointers that begin with ``prefix``, in order; nothing of them is verified."""
        return sorted(path.stem for path in (self.root / "pointers").glob(f"{prefix}*.json"))

    def _manifest(self, place: Path) -> Seal:
        if not (place / MANIFEST).is_file():
            raise Broken("shelf.no-manifest", why=Text.verbatim(place.name[:12]))
        return from_envelope(_read_json(place / MANIFEST), self.ring)

    def folder_of(self, seal_id: str) -> Path:
        """The folder of a seal, whether or not it exists."""
        kind, _, code = seal_id.partition("-")
        return self.root / kind / code

    def _resolve(self, name: str) -> str:
        kind, dash, start = name.partition("-")
        if not dash or kind not in set(Kind) or not start or not set(start) <= set("0123456789abcdef"):
            raise Malformed("shelf.not-an-id")
        matches = [start] if (self.root / kind / start).is_dir() else []
        matches = matches or [place.name for place in (self.root / kind).glob(f"{start}*")]
        if not matches:
            raise Missing("shelf.no-seal", kind=Kind(kind).text, start=start[:12])
        if len(matches) > 1:
            raise Malformed("shelf.ambiguous", why=Text.verbatim(name), found_count=len(matches))
        return f"{kind}-{matches[0]}"


def verify_files(seal: Seal, place: Path) -> None:
    """Verify the digest of every file; raises :class:`Broken` for a changed, a missing or an additional file."""
    present = set(_names(place)) - {MANIFEST}
    for name in sorted(present ^ set(seal.files)):
        why = Text.of("shelf.file-missing" if name in seal.files else "shelf.file-added", name=name)
        raise Broken("shelf.not-whole", why=why, kind=seal.kind.text, seal_short=seal.short)
    for name, wanted in sorted(seal.files.items()):
        if digest(place / name) != wanted:
            raise Broken("shelf.changed", kind=seal.kind.text, seal_short=seal.short, name=name)


def _names(folder: Path) -> list[str]:
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_symlink():
            raise Broken("shelf.links", why=Text.verbatim(path.name))
    return [path.relative_to(folder).as_posix() for path in paths if path.is_file()]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Broken("shelf.not-json", path_name=path.name) from error


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _delete_abandoned(area: Path) -> None:
    """Delete the folders of processes that have ended."""
    for folder in area.iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)
