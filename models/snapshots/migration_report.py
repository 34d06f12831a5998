"""The rating migration report as one HTML page: grades before and now, and downgrades by district, industry and cause.

A count below :data:`MINIMUM_COUNT` is not shown: a district and industry with two firms would reveal both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from models.validation import svg_charts

MINIMUM_COUNT = 5
MAXIMUM_BARS = 20  # bars of one chart
DISTRICTS = dict(
    zip(
        [
            "120101",
            "120102",
            "120103",
            "120104",
            "120105",
            "120106",
            "120110",
            "120111",
            "120112",
            "120113",
            "120114",
            "120115",
            "120116",
            "120117",
            "120118",
            "120119",
        ],
        [
            "和平区",
            "河东区",
            "河西区",
            "南开区",
            "河北区",
            "红桥区",
            "东丽区",
            "西青区",
            "津南区",
            "北辰区",
            "武清区",
            "宝坻区",
            "滨海新区",
            "宁河区",
            "静海区",
            "蓟州区",
        ],
        strict=True,
    )
)
INDUSTRIES = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRS",
        [
            "农林牧渔",
            "采矿",
            "制造",
            "电热燃水",
            "建筑",
            "批发零售",
            "交通仓储",
            "住宿餐饮",
            "信息软件",
            "金融",
            "房地产",
            "租赁商务",
            "科研技术",
            "水利环境",
            "居民服务",
            "教育",
            "卫生社会",
            "文体娱乐",
            "公共管理",
        ],
        strict=True,
    )
)


def report_page(evaluation: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """The page of an evaluation, from the output of ``haihe evaluate`` and the titles of the features."""
    env = Environment(loader=PackageLoader("models.snapshots", "pages"), autoescape=True, undefined=StrictUndefined)
    models = [_model(name, each, titles) for name, each in evaluation["models"].items()]
    return env.get_template("movements.html.j2").render(
        period=evaluation["period"], as_of=evaluation["as_of"], models=models
    )


def _model(name: str, evaluation: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    all_now, all_then = evaluation["subjects"], sum(evaluation["last_grades"].values())
    now = {grade: count / all_now for grade, count in evaluation["grades"].items()}
    then = {grade: evaluation["last_grades"].get(grade, 0) / max(1, all_then) for grade in now} if all_then else {}
    return {
        "name": name,
        "told": evaluation,
        "least": MINIMUM_COUNT,
        "moved": {way: "few" if 0 < count < MINIMUM_COUNT else count for way, count in evaluation["moved"].items()},
        "grades": Markup(svg_charts.grades_before_and_now(now, then)),
        "drawn": [
            ("district", "区", _bars(evaluation["by"]["district"], DISTRICTS, share=True)),
            ("industry", "行业", _bars(evaluation["by"]["industry"], INDUSTRIES, share=True)),
            ("cause", "原因", _bars(evaluation["by"]["cause"], titles, share=False)),
        ],
    }


def _bars(counts: Mapping[str, Mapping[str, int]], names: Mapping[str, str], *, share: bool) -> Markup:
    """Downgrades as bars to the left and upgrades to the right: in percent of the group's subjects, or as counts."""
    rows: list[tuple[str, float | None, float | None]] = []
    for value, moved in counts.items():
        known, plain = sum(moved.values()) - moved["new"], value.removeprefix("rule ")
        if known < MINIMUM_COUNT or (not share and moved["down"] + moved["up"] < MINIMUM_COUNT):
            continue
        fell, rose = (_publishable(moved[way], known / 100 if share else 1) for way in ("down", "up"))
        if not fell and not rose:
            continue
        rows.append((names.get(plain, plain) + ("（规则）" if plain != value else ""), fell, rose))
    rows.sort(key=lambda row: -((row[1] or 0) + (0 if share else row[2] or 0)))
    return Markup(svg_charts.diverging_bars(rows[:MAXIMUM_BARS], "%" if share else ""))


def _publishable(count: int, by: float) -> float | None:
    return None if 0 < count < MINIMUM_COUNT else count / by
