"""The report of a walk down the road: one HTML page that needs nothing from outside, drawn from what the steps left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from credit.files import write_whole
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
class Stop:
    """One stop of the road as the page shows it."""

    title: str
    zh: str
    facts: Sequence[tuple[str, Any]]
    ids: Sequence[str] = ()


def write(path: Path, journey: Journey) -> None:
    """Draw the journey into ``path``."""
    env = Environment(loader=PackageLoader("infra.demo", "pages"), autoescape=True, undefined=StrictUndefined)
    page = env.get_template("report.html.j2").render(
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        notice=INVENTED if journey.invented else REAL,
        catalogue=journey.catalogue,
        road=_road(journey),
        models=[_model(name, told) for name, told in journey.models.items()],
        scores=[_score(told) for told in journey.scores],
        steps=journey.steps,
        total=sum(step.seconds for step in journey.steps),
        peak=journey.peak_mib,
    )
    write_whole(path, page.encode())


def _road(journey: Journey) -> list[Stop]:
    models = journey.models.values()
    found = journey.intake
    kept = [(key, found[key]) for key in ("kept", "quarantined", "duplicates")]
    made = [("trained on", "Ray"), ("registered in", "MLflow")]
    verdicts = [(name, told["verdict"]["outcome"]) for name, told in journey.models.items()]
    return [
        Stop("raw records", "原始记录", [("rows", found["rows"])]),
        Stop("intake", "归集", kept),
        Stop("release", "数据发布", [], list(journey.releases)),
        Stop("order", "训练订单", [], [told["order"] for told in models]),
        Stop("version", "模型版本", made, [told["version"] for told in models]),
        Stop("promotion", "上线关口", verdicts),
        Stop("snapshot", "快照", [], [told["snapshot"] for told in models if told.get("snapshot")]),
        Stop("score", "评分", [], [told["answer"]["score_id"] for told in journey.scores]),
    ]


def _model(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    e = told["evidence"]
    rows = sum(grade["rows"] for grade in e["grades"].values()) or 1
    shares = told.get("shares") or {grade: row["rows"] / rows for grade, row in e["grades"].items()}
    false, true = [point[0] for point in e["roc"]], [point[1] for point in e["roc"]]
    words = f"AUC {e['auc']:.3f} ({e['auc_low']:.3f}–{e['auc_high']:.3f})"
    return {
        "name": name,
        "title": told["title"],
        "e": {"baseline": None, "challenger": None, **e},
        "verdict": told["verdict"],
        "roc": Markup(svg_charts.roc(false, true, e["ks"], words, e["judged_by"])),
        "calibration": Markup(svg_charts.calibration(e["calibration"]["bins"])),
        "grades": Markup(svg_charts.grades(shares)),
    }


def _score(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"before": None, **told, "picture": Markup(svg_charts.reasons(told["answer"]))}
