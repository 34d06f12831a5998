"""The results of a demonstration: plain values while it runs, ``summary.json`` at the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit.files import write_atomically


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, wall seconds, and the peak of resident memory over all processes of the run, in MiB."""

    name: str
    seconds: float
    rss: float


@dataclass(slots=True)
class Journey:
    """The results so far; each step adds to them."""

    invented: bool
    catalogue: str = ""
    intake: dict[str, Any] = field(default_factory=dict)
    releases: list[str] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    peak_mib: float = 0.0

    def summary(self) -> dict[str, Any]:
        """The figures as one document."""
        models = {}
        for name, model in self.models.items():
            e = model["evidence"]
            figures = ("rows", "positives", "auc", "auc_low", "auc_high", "ks", "brier")
            models[name] = {
                "version": model["version"],
                "release": model["release"],
                **{key: e[key] for key in figures},
                "judged": e["judged_by"],
                "calibration_error": e["calibration"]["ece"],
                "stability_index": e["stability_index"],
                "baseline": e.get("baseline"),
                "verdict": model["verdict"]["outcome"],
                "grades": model.get("shares"),
            }
        return {
            "data": "invented city" if self.invented else "real tables",
            "models": models,
            "scores": [{"who": each["title"], **each["answer"], "before": each.get("before")} for each in self.scores],
            "intake": self.intake,
            "seconds": {step.name: round(step.seconds, 2) for step in self.steps},
            "rss_mib": {step.name: round(step.rss) for step in self.steps},
            "peak_rss_mib": round(self.peak_mib),
        }

    def write(self, path: Path) -> None:
        """Write ``summary.json``."""
        write_atomically(path, json.dumps(self.summary(), ensure_ascii=False, indent=1).encode() + b"\n")
