"""``python -m bench.quality``: run what is not known yet, and write the table and pictures of ``docs/benchmark.md``.

``--tables`` and ``--ways`` name some alone: then nothing is written but the results of those runs.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.quality.ours import NAME
from bench.quality.page import PICTURES, write
from bench.quality.pictures import draw
from bench.quality.runs import WAYS, perform, runs
from bench.quality.sources import tables
from bench.quality.summary import summarise
from bench.record import record


def main(arguments: list[str]) -> int:
    """Run and write."""
    loaders = tables()
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--tables", nargs="*", choices=list(loaders), default=list(loaders))
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")  # of the peers, about their own parts
    wanted = runs([loaders[name]() for name in options.tables], options.ways)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as bar:
        task, start = bar.add_task("benchmark", total=len(wanted)), time.perf_counter()
        done = []
        for run, result in perform(wanted):
            done.append((run, result))
            name = f"{run.table.name}, {run.way}"
            bar.update(task, advance=1, description=f"{name:<38} AUC {result['auc']:.3f}")
    print(f"{len(wanted)} results in {time.perf_counter() - start:.0f} s")
    if set(options.tables) == set(loaders) and set(options.ways) == set(WAYS):
        results = summarise(done)
        write(results)
        draw(results, PICTURES)
        for table in results["tables"]:
            record("quality_auc", table["ways"][NAME]["auc"], "AUC", data=table["name"], more={"ways": table["ways"]})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
