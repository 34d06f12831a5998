"""A Parquet file with damaged bytes in a text: its row stands apart with its bytes, and the others are read."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privacy.files.reading import blocks


@pytest.mark.parametrize("with_dictionary", [True, False])
def test_a_text_that_is_none(tmp_path: Path, with_dictionary: bool) -> None:
    out = io.BytesIO()
    table = pa.table({"CODE": ["first", "second", "third"], "NOTE": ["1", "2", None]})
    pq.write_table(table, out, compression="none", use_dictionary=with_dictionary, write_statistics=False)
    path = tmp_path / "x.parquet"
    path.write_bytes(out.getvalue().replace(b"second", b"se\xffond"))
    (block,) = blocks(path)
    assert block.rows.to_pylist() == [{"CODE": "first", "NOTE": "1"}, {"CODE": "third", "NOTE": ""}]
    assert block.lines.tolist() == [1, 3]
    assert [(bad.line, bad.reason.id, bad.content) for bad in block.bad] == [
        (2, "intake.reason.not-text", b"se\xffond,2".hex())
    ]
