"""Writers that are killed at any moment lose no entry that they announced, and the next writer goes on."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger

BOB = Actor("bob", Role.PLATFORM)
WRITER = """
import sys
from pathlib import Path
from credit.actor import Actor, Role
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger

root, bob = Path(sys.argv[1]), Actor("bob", Role.PLATFORM)
key = SigningKey.load(root, "platform")
ledger = Ledger(root / "ledger.jsonl", key, KeyRing.of(key), "platform", segment_bytes=4000)
while True:
    for entry in ledger.append_many([("release.made", "x", bob, {})] * 3):
        print(entry.seq, entry.id, flush=True)
"""


@pytest.mark.attack
@pytest.mark.parametrize("writers", [1, 2])
def test_a_killed_writer_loses_nothing_that_it_announced(tmp_path: Path, writers: int) -> None:
    """Killed with SIGKILL after a random number of entries, ten times, one writer or two side by side."""
    key, moments = SigningKey.create(tmp_path, "platform"), random.Random(writers)
    ledger = Ledger(tmp_path / "ledger.jsonl", key, KeyRing.of(key), "platform", segment_bytes=4000)
    for _ in range(10 // writers):
        processes = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
            for _ in range(writers)
        ]
        announced = []
        for process in processes:
            assert process.stdout is not None
            announced += [process.stdout.readline() for _ in range(moments.randrange(1, 60))]
        for process in processes:
            process.kill()
            announced += process.communicate()[0].splitlines(keepends=True)
        ids = {entry.seq: entry.id for entry in ledger.verified()}
        for line in announced:
            if line.endswith("\n"):
                seq, name = line.split()
                assert ids[int(seq)] == name
        ledger.append("release.made", "next", by=BOB)
        assert ledger.verify() > len(announced) - writers
        assert len(ledger.about("next")) > 0
    assert len(ledger.store.segments()) > 5
