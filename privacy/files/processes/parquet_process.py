"""A process of its own that reads one Parquet file and prints its rows as a stream of Arrow, with limits of its own.

A value that stands once in a dictionary costs a byte a row in the file and its whole length a row in memory: a file of
one megabyte can unpack to terabytes. This script imports nothing of ours: ``python -I parquet_process.py PATH MEGABYTES
SECONDS``. The schema of the stream says in its metadata how many rows the file states.
"""

from __future__ import annotations

import resource
import sys

UNREADABLE = 4  # exit code
_ROWS = 100_000  # of a batch


def main() -> int:
    """Print the batches of the file that the command line names."""
    path, megabytes, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            kinds = [each.value_type if pa.types.is_dictionary(each) else each for each in file.schema_arrow.types]
            fields = [pa.field(name, kind) for name, kind in zip(file.schema_arrow.names, kinds, strict=True)]
            schema = pa.schema(fields, metadata={"rows": str(file.metadata.num_rows)})
            with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
                for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
                    columns = [column.cast(kind) for column, kind in zip(batch.columns, kinds, strict=True)]
                    out.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    except BaseException:  # also one of the library's own, and the end of the memory
        return UNREADABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
