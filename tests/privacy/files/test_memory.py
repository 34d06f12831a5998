"""A file that would fill the memory, however small it is, is refused or cut off with a reason, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privacy.files.block import LONGEST_LINE

pytestmark = pytest.mark.attack
MOST = 3 << 30  # bytes of address space of the process that reads, in which the imports take one
READ = """
import resource, sys
from pathlib import Path
from privacy.files.reading import blocks
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
for block in blocks(Path(sys.argv[1]), ("name", "code")):
    print(len(block.rows), *(bad.reason.id for bad in block.bad))
"""


def _read(path: Path) -> list[str]:
    """What is printed of each block: its rows and the reasons of its bad lines."""
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(MOST)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-300:]
    return ran.stdout.splitlines()


@pytest.mark.parametrize(("length", "columns"), [(3_000, 12), (40_000, 3), (1_000_000, 1)])
def test_values_that_stand_once_and_unpack_to_gigabytes(tmp_path: Path, length: int, columns: int) -> None:
    index = pa.array([0], pa.int32()).take(pa.array([0] * 150_000))
    value = pa.array(["x" * length])
    table = pa.table({f"c{n}": pa.DictionaryArray.from_arrays(index, value) for n in range(columns)})
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 4 << 20
    assert _read(tmp_path / "x.parquet") == ["0 intake.reason.not-parquet"]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.jsonl"])
@pytest.mark.parametrize("opening", ["", '"'])
def test_a_line_without_an_end(tmp_path: Path, name: str, opening: str) -> None:
    begun = '{"name": "a"}\n{"name": "' if name.endswith("jsonl") else f"name,code\na,b\n{opening}c"
    with (tmp_path / name).open("wb") as file:  # a sparse file: it has no blocks on the disk
        file.write(begun.replace(",", "\t" if name.endswith("tsv") else ",").encode())
        file.truncate(8 * LONGEST_LINE)
    assert _read(tmp_path / name) == ["1", "0 intake.reason.endless-line"]
