"""The id of a seal follows from its content, the zone of its kind signs it, and every changed byte is noticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from credit.actor import Actor
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Lapsed, Malformed, Missing
from credit.keys import KeyRing, SigningKey
from credit.seal import PAYLOAD_TYPE, Kind, Seal
from credit.shelf import Shelf

ENDS = date(2027, 1, 1)


def make(shelf: Shelf, key: SigningKey, by: Actor, *, text: str = "rows", kind: Kind = Kind.RELEASE) -> Seal:
    with shelf.staging() as folder:
        (folder / "table").mkdir()
        (folder / "table" / "bucket-000").write_text(text)
        return shelf.put(folder, kind, parents=(), terms={"purpose": "research"}, expires_on=ENDS, by=by, key=key)


def test_same_content_is_one_seal_whoever_made_it(
    shelf: Shelf, keys: dict[str, SigningKey], alice: Actor, bob: Actor
) -> None:
    first, second = make(shelf, keys["custody"], alice), make(shelf, keys["custody"], bob)
    assert first == second, "the first maker stays its maker"
    assert len(shelf.list(Kind.RELEASE)) == 1
    assert make(shelf, keys["custody"], bob, text="other").id != first.id


def test_the_manifest_is_an_in_toto_statement(shelf: Shelf, keys: dict[str, SigningKey], alice: Actor) -> None:
    opened = shelf.open(make(shelf, keys["custody"], alice).id)
    envelope = json.loads((opened.path / "manifest.json").read_text())
    statement = verify_envelope(envelope, PAYLOAD_TYPE, shelf.ring, {"custody"})
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["name"] == "table/bucket-000"


@pytest.mark.parametrize("harm", ["change", "add", "remove", "link"])
def test_any_change_to_the_files_is_seen(shelf: Shelf, keys: dict[str, SigningKey], alice: Actor, harm: str) -> None:
    seal = make(shelf, keys["custody"], alice)
    path = shelf.open(seal.id).path
    if harm == "change":
        (path / "table" / "bucket-000").write_text("rowz")
    elif harm == "add":
        (path / "extra").write_text("")
    elif harm == "remove":
        (path / "table" / "bucket-000").unlink()
    else:
        (path / "link").symlink_to("/etc/hostname")
    with pytest.raises(Broken):
        shelf.open(seal.id)


@pytest.mark.parametrize("field", ["parents", "expires_on", "terms", "made_by", "id"])
def test_any_change_to_the_manifest_is_seen(
    shelf: Shelf, keys: dict[str, SigningKey], alice: Actor, field: str
) -> None:
    import base64

    seal = make(shelf, keys["custody"], alice)
    path = shelf.root / seal.kind / seal.id.partition("-")[2] / "manifest.json"
    envelope = json.loads(path.read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    changed = {"parents": ["x"], "expires_on": "2099-01-01", "terms": {}, "made_by": "platform:eve", "id": "release-0"}
    statement["predicate"][field] = changed[field]
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    path.write_text(json.dumps(envelope))
    with pytest.raises(Broken, match="signature"):
        shelf.open(seal.id)


def test_only_the_zone_of_its_kind_may_seal(shelf: Shelf, keys: dict[str, SigningKey], alice: Actor) -> None:
    with pytest.raises(Broken, match="custody"):
        make(shelf, keys["research"], alice)
    assert shelf.list(Kind.RELEASE) == []
    make(shelf, keys["custody"], alice)
    with pytest.raises(Broken, match="custody"):  # nor by bringing what is there already
        make(shelf, keys["research"], alice)
    forged = sign_envelope({"predicate": {}}, PAYLOAD_TYPE, keys["service"])
    with pytest.raises(Broken, match="signed by one who may"):
        verify_envelope(forged, PAYLOAD_TYPE, shelf.ring, {"custody"})


def test_a_key_outside_the_ring_seals_nothing_here(tmp_path: Path, shelf: Shelf, alice: Actor) -> None:
    unknown_key = SigningKey.create(tmp_path / "unknown", "custody")
    seal = make(Shelf(shelf.root, KeyRing.of(unknown_key)), unknown_key, alice)
    with pytest.raises(Broken, match="not in the ring"):
        shelf.open(seal.id)


def test_every_seal_ends(shelf: Shelf, keys: dict[str, SigningKey], alice: Actor) -> None:
    seal = make(shelf, keys["custody"], alice)
    shelf.open(seal.id, today=date(2026, 12, 31))
    with pytest.raises(Lapsed, match="2027-01-01"):
        shelf.open(seal.id, today=ENDS)


def test_a_seal_opens_by_an_unambiguous_prefix(shelf: Shelf, keys: dict[str, SigningKey], alice: Actor) -> None:
    seal = make(shelf, keys["custody"], alice)
    assert shelf.open(seal.short).seal == seal
    with pytest.raises(Missing):
        shelf.open("release-" + ("0" if seal.id[8] != "0" else "1"))
    for wrong in ("release", "release-", "thing-00", "release-../x"):
        with pytest.raises(Malformed):
            shelf.open(wrong)


def test_what_fails_while_being_made_leaves_nothing(shelf: Shelf) -> None:
    def fail() -> None:
        with shelf.staging() as folder:
            (folder / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list((shelf.root / ".making").iterdir())


def test_what_a_killed_maker_left_is_swept_by_the_next(shelf: Shelf) -> None:
    code = """
import sys, time
from pathlib import Path
from credit.keys import KeyRing
from credit.shelf import Shelf
with Shelf(Path(sys.argv[1]), KeyRing({})).staging() as folder:
    (folder / "half").write_text("x")
    print("made", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(shelf.root)], stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline()
        os.kill(maker.pid, signal.SIGKILL)
    assert list((shelf.root / ".making").iterdir())
    with shelf.staging() as own:
        assert list((shelf.root / ".making").iterdir()) == [own]


def test_a_pointer_is_signed_counted_and_not_another_s(shelf: Shelf, keys: dict[str, SigningKey]) -> None:
    assert shelf.pointer("champion-enterprise", {"platform"}) is None
    shelf.set_pointer("champion-enterprise", {"version": "a"}, keys["platform"])
    shelf.set_pointer("champion-enterprise", {"version": "b"}, keys["platform"])
    champion = shelf.pointer("champion-enterprise", {"platform"})
    assert champion is not None
    assert (champion["version"], champion["sequence"]) == ("b", 2)
    with pytest.raises(Broken):
        shelf.pointer("champion-enterprise", {"compute"})
    folder = shelf.root / "pointers"
    (folder / "champion-other.json").write_bytes((folder / "champion-enterprise.json").read_bytes())
    with pytest.raises(Broken, match="copied"):
        shelf.pointer("champion-other", {"platform"})
