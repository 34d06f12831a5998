"""A record names the kernel, and the cell that ran or the last one before it; what cannot be recorded is not given."""

from __future__ import annotations

import os
import random
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_letters
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit.canonical import digest
from infra.sandbox.monitor import kernel_records
from infra.sandbox.monitor.kernel_records import KernelRecords, PassedCell

FIRST, SECOND = PassedCell("1", "a" * 64), PassedCell("2", "b" * 64)


@dataclass
class Kept:
    reads: list[dict[str, Any]] = field(default_factory=list)
    files: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    down: bool = False

    def read(self, record: dict[str, Any]) -> None:
        if self.down:
            raise OSError("the gateway does not answer")
        self.reads.append(record)

    def opened(self, record: dict[str, Any], content: bytes) -> None:
        self.files.append((record, content))


def test_a_read_is_recorded_once_in_each_cell_and_once_after_each() -> None:
    kept = Kept()
    records = KernelRecords("k", kept)
    records.read("loans")
    for cell in (FIRST, SECOND):
        records.begin(cell)
        for _ in range(3):
            records.read("loans")
        records.end(cell.message)
        for _ in range(3):
            records.read("loans")
    moments = [(each.get("code"), each.get("after")) for each in kept.reads]
    a, b = FIRST.code, SECOND.code
    assert moments == [(None, None), (a, None), (None, a), (b, None), (None, b)]
    assert all(each["kernel"] == "k" and each["tables"] == ["loans"] for each in kept.reads)


def test_an_end_of_an_unknown_cell_changes_nothing_and_that_of_a_later_one_ends_those_before() -> None:
    kept = Kept()
    records = KernelRecords("k", kept)
    records.begin(FIRST)
    records.end("another")
    records.read("loans")
    records.begin(SECOND)
    records.end(SECOND.message)
    records.read("loans")
    assert [set(each) & {"code", "after"} for each in kept.reads] == [{"code"}, {"after"}]


def test_what_could_not_be_recorded_is_recorded_at_the_next_time() -> None:
    kept = Kept(down=True)
    records = KernelRecords("k", kept)
    with pytest.raises(OSError, match="does not answer"):
        records.read("loans")
    kept.down = False
    records.read("loans")
    assert len(kept.reads) == 1


def test_each_version_of_a_file_is_recorded_with_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_records, "KEPT_FILE", 10)
    kept, place = Kept(), tmp_path / "mine.py"
    records = KernelRecords("k", kept)
    noise = "".join(random.Random(5).choices(ascii_letters, k=40))
    for text in ("", "one", "one", "two two", noise):
        place.write_text(text)
        fd = os.open(place, os.O_RDONLY)
        records.open_file(fd, str(place))
        records.open_file(fd, str(place))
        os.close(fd)
    assert [content for _, content in kept.files if content] in ([b"one", b"two two"], [b"one", b"one", b"two two"])
    large, content = kept.files[-1]
    assert (large["bytes"], content, large["ending"]) == (40, b"", ".py")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    fd = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    records.open_file(fd, str(pipe))
    os.close(fd)
    assert kept.files[-1] == (large, content)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.binary(min_size=1, max_size=60), filling=st.binary(min_size=1, max_size=2), long=st.integers(100, 4000))
def test_a_file_that_was_made_longer_is_kept_packed(tmp_path: Path, code: bytes, filling: bytes, long: int) -> None:
    """Before and behind what it was, with whatever is short to say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_records, "KEPT_FILE", 99 + len(code))
        for number, whole in enumerate((code + filling * long, filling * long + code)):
            kept, place = Kept(), tmp_path / f"{long}-{number}.py"
            place.write_bytes(whole)
            fd = os.open(place, os.O_RDONLY)
            KernelRecords("k", kept).open_file(fd, str(place))
            os.close(fd)
            record, content = kept.files[-1]
            assert (record.get("packed", False), record["bytes"]) == (len(whole) > 99 + len(code), len(whole))
            assert (zlib.decompress(content) if record.get("packed") else content) == whole
            assert record["digest"] == digest(whole)
