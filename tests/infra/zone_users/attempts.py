"""What a zone's user tries against the others: ``python attempts.py HOME ZONE`` prints each attempt that succeeds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Attempt = tuple[str, Callable[[], object]]


def attempts(home: Path, zone: str) -> Iterator[Attempt]:
    """Each with its name."""
    others = [path.name for path in sorted((home / "runs").iterdir()) if path.name != zone]
    for other in others:
        yield f"read key of {other}", (home / "keys" / other / f"signing-{other}.pem").read_bytes
        yield f"list keys of {other}", lambda other=other: os.listdir(home / "keys" / other)
        yield f"write runs of {other}", (home / "runs" / other / "progress.json").touch
        yield f"witness as {other}", (home / "ledgers" / "witness" / other / "research.json").touch
    for path in sorted((home / "ledgers").iterdir()):
        if path.is_file() and path.stat().st_uid != os.getuid():
            yield f"write {path.name}", lambda path=path: path.open("ab")
            yield f"remove {path.name}", path.unlink
            yield f"replace {path.name}", lambda path=path: replace(path, home / "ledgers")
    yield "add a key to the ring", (home / "keys" / "ring" / f"{others[0]}-2.pem").touch
    if zone != "desk":
        yield "write a request", (home / "requests" / f"request-{'1' * 32}.json").touch
    if zone != "custody":
        yield "list raw records", lambda: os.listdir(home / "raw")
    if zone != "service":
        yield "read the service's database", (home / "service" / "access.db").read_bytes
    for path in sorted((home / "shelf").glob("*/*")):
        if path.stat().st_uid != os.getuid():
            yield f"move {path.parent.name}/{path.name}", lambda path=path: path.rename(path.with_name("moved"))
            inside = next((each for each in path.rglob("*") if each.is_file()), path) if path.is_dir() else path
            if path.name != ".lock":
                yield f"write in {path.parent.name}/{path.name}", lambda inside=inside: inside.open("ab")
                yield f"remove in {path.parent.name}/{path.name}", inside.unlink
                yield (
                    f"replace in {path.parent.name}",
                    lambda inside=inside: replace(inside, home / "shelf" / ".making"),
                )
    yield "add a kind of seal", (home / "shelf" / "evil").mkdir
    yield "link another's file", lambda: link(home)


def replace(path: Path, folder: Path) -> None:
    own = folder / f"own-{os.getuid()}"
    own.write_bytes(b"{}")
    try:
        os.replace(own, path)
    finally:
        own.unlink(missing_ok=True)


def link(home: Path) -> None:
    foreign = next(path for path in (home / "ledgers").glob("*.jsonl") if path.stat().st_uid != os.getuid())
    os.link(foreign, home / "shelf" / ".making" / f"link-{os.getuid()}")


def main(home: Path, zone: str) -> None:
    tried = 0
    for name, attempt in attempts(home, zone):
        tried += 1
        try:
            attempt()
        except PermissionError:
            continue
        print(name)
    print(f"tried {tried}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
