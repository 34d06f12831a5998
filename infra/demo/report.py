"""The report of a demonstration: one HTML page that loads nothing from outside, made from the results of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from credit.files import write_atomically
from infra.demo.journey import Journey
from models.validation import svg_charts

INVENTED = (
    "All subjects and records on this page are invented (seeded). The figures say how the road works, "
    "and nothing about any real city."
)
REAL = (
    "Made on real data brought in through catalogue files; subjects carry surrogate codes. The terms of the data are "
    "those of its owners. Read the intervals before the points."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage between raw record and score, as the page shows it."""

    title: str
    zh: str
    facts: Sequence[tuple[str, Any]]
    ids: Sequence[str] = ()


def write(path: Path, journey: Journey) -> None:
    """Write the report of ``journey`` into ``path``, an HTML page."""
    env = Environment(loader=PackageLoader("infra.demo", "pages"), autoescape=True, undefined=StrictUndefined)
    page = env.get_template("report.html.j2").render(
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        notice=INVENTED if journey.invented else REAL,
        catalogue=journey.catalogue,
        road=_road(journey),
        models=[_model(name, model) for name, model in journey.models.items()],
        scores=[_score(score) for score in journey.scores],
        steps=journey.steps,
        total=sum(step.seconds for step in journey.steps),
        peak=journey.peak_mib,
    )
    write_atomically(path, page.encode())


def _road(journey: Journey) -> list[Stage]:
    models = journey.models.values()
    intake = journey.intake
    kept = [(key, intake[key]) for key in ("kept", "quarantined", "duplicates")]
    made = [("trained on", "Ray"), ("registered in", "MLflow")]
    verdicts = [(name, model["verdict"]["outcome"]) for name, model in journey.models.items()]
    return [
        Stage("raw records", "原始记录", [("rows", intake["rows"])]),
        Stage("intake", "归集", kept),
        Stage("release", "数据发布", [], list(journey.releases)),
        Stage("order", "训练订单", [], [model["order"] for model in models]),
        Stage("version", "模型版本", made, [model["version"] for model in models]),
        Stage("promotion", "上线关口", verdicts),
        Stage("snapshot", "快照", [], [model["snapshot"] for model in models if model.get("snapshot")]),
        Stage("score", "评分", [], [score["answer"]["score_id"] for score in journey.scores]),
    ]


def _model(name: str, model: Mapping[str, Any]) -> dict[str, Any]:
    e = model["evidence"]
    rows = sum(grade["rows"] for grade in e["grades"].values()) or 1
    shares = model.get("shares") or {grade: row["rows"] / rows for grade, row in e["grades"].items()}
    false, true = [point[0] for point in e["roc"]], [point[1] for point in e["roc"]]
    words = f"AUC {e['auc']:.3f} ({e['auc_low']:.3f}–{e['auc_high']:.3f})"
    return {
        "name": name,
        "title": model["title"],
        "e": {"baseline": None, "challenger": None, **e},
        "verdict": model["verdict"],
        "roc": Markup(svg_charts.roc(false, true, e["ks"], words, e["judged_by"])),
        "calibration": Markup(svg_charts.calibration(e["calibration"]["bins"])),
        "grades": Markup(svg_charts.grades(shares)),
    }


def _score(score: Mapping[str, Any]) -> dict[str, Any]:
    return {"before": None, **score, "picture": Markup(svg_charts.reasons(score["answer"]))}
