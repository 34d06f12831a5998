"""The road's steps at two sizes of the invented city: seconds, memory, rows a second. How does each grow?"""

from __future__ import annotations

import json
import math
from pathlib import Path

from bench.record import INVENTED, record
from infra.demo.invented_city import run_invented_city

SIZES = (20_000, 200_000)
OUT = Path("var/bench")


def walk(subjects: int) -> dict[str, object]:
    """Walk the whole road once; its summary. What an earlier figure of this run walked is not walked again."""
    out = OUT / f"road-{subjects}"
    if not (out / "summary.json").exists():
        run_invented_city(out, subjects=subjects, seed=7)
    summary: dict[str, object] = json.loads((out / "summary.json").read_text())
    return summary


def road_steps(figure: str, key: str, unit: str) -> None:
    """A line a step and size, and how the larger compares with the smaller (1 = as the subjects)."""
    seen: dict[int, dict[str, float]] = {}
    for subjects in SIZES:
        output = walk(subjects)
        seen[subjects] = output[key]  # type: ignore[assignment]
        for step, value in seen[subjects].items():
            record(
                figure, value, unit, data=f"{INVENTED}, {subjects} subjects", more={"step": step, "subjects": subjects}
            )
    small, large = (seen[size] for size in SIZES)
    for step in small.keys() & large.keys():
        grows = math.log(max(large[step], 1e-3) / max(small[step], 1e-3)) / math.log(SIZES[1] / SIZES[0])
        against = f"{SIZES[0]} subjects"
        record(f"{figure}_growth", grows, "power", against=against, more={"step": step})


def road_step_seconds() -> None:
    """Seconds of each step."""
    road_steps("road_step_seconds", "seconds", "s")


def road_step_rss_mib() -> None:
    """Peak resident memory of each step, summed over all processes of the walk."""
    road_steps("road_step_rss_mib", "rss_mib", "MiB")


def road_rows_per_second() -> None:
    """Raw rows a second through intake, and through a release."""
    for subjects in SIZES:
        output = walk(subjects)
        rows = output["intake"]["rows"]  # type: ignore[index]
        for step in ("intake", "release research", "release scoring"):
            seconds = output["seconds"][step]  # type: ignore[index]
            more = {"step": step, "subjects": subjects, "rows": rows}
            record("road_rows_per_second", rows / seconds, "rows/s", data=f"{INVENTED}, {subjects} subjects", more=more)
