"""A file whose writing fails is closed, counts in no list, and the error that is seen is the one that happened."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from privacy.storage.partition import Writer


def test_an_error_while_writing_is_the_one_that_is_seen(tmp_path: Path) -> None:
    """Rows of another form cannot be written when the writer ends either: that would hide the first error."""
    before = len(os.listdir("/proc/self/fd"))
    schema = pa.schema([("a", pa.int64())])

    def write() -> None:
        with Writer(tmp_path, "t", "2026", "x", b"k" * 32, schema) as writer:
            writer.write(pa.record_batch({"b": pa.array(["other"])}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert len(os.listdir("/proc/self/fd")) == before
