"""The steps of custody that measure what is stored: data quality (双公示), commitments, theme libraries.

What they give goes to the person who asked: counts by unit are no subject's, and a ledger need not keep each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credit.catalogue import Catalogue
from credit.requests.task import StepResult, Task
from privacy.commitments import commitments, commitments_to_check
from privacy.quality.measures import measure_month
from privacy.quality.rules import QualityRules
from privacy.quality.sampling import draw_sample
from privacy.themes.library import count_theme
from privacy.themes.theme import theme_named

if TYPE_CHECKING:
    from infra.agents.custody import Custody


def measure_quality(custody: Custody, task: Task, catalogue: Catalogue) -> StepResult:
    """Measure a month, and draw a sample of ``sample`` places where the person wants one."""
    month, size = str(task.arguments["month"]), int(task.arguments.get("sample", 0))
    task.report("measuring the quality of data", 0, 0)
    rules = QualityRules.load()
    quality = measure_month(
        month, catalogue=catalogue, vault=custody.vault, rules=rules, limits=custody.settings.limits
    )
    private = {"quality": quality.as_json()}
    if size:
        private["sample"] = draw_sample(
            month, request=task.request.id, catalogue=catalogue, vault=custody.vault, rules=rules, key=custody.key,
            ledger=custody.ledger, by=task.by, size=size,
        )  # fmt: skip
    counted = {each.item: [each.received, each.stored, each.late] for each in quality.by_item()}
    return StepResult({"month": month, "items": counted, "places": size}, private=private)


def count_commitments(custody: Custody, task: Task, catalogue: Catalogue) -> StepResult:
    """Count the commitments of all agencies; ``due`` lists those that are not checked, due within so many days."""
    task.report("counting commitments", 0, 0)
    vault, limits = custody.vault, custody.settings.limits
    counted = commitments(catalogue=catalogue, vault=vault, today=task.today, limits=limits)
    agencies = [each.as_json() for each in counted]
    private = {"agencies": agencies}
    if days := int(task.arguments.get("due", 0)):
        private["to_check"] = commitments_to_check(
            days, catalogue=catalogue, vault=vault, today=task.today, limits=limits
        )
    whole = agencies[0]
    return StepResult({name: whole[name] for name in ("made", "due", "checked", "kept", "broken")}, private=private)


def count_theme_library(custody: Custody, task: Task, catalogue: Catalogue) -> StepResult:
    """Count one theme library."""
    task.report("counting a theme library", 0, 0)
    theme = theme_named(str(task.arguments["theme"]), catalogue)
    counted = count_theme(
        theme, catalogue=catalogue, vault=custody.vault, as_of=task.today, limits=custody.settings.limits
    )
    return StepResult({"theme": theme.name, "subjects": counted.subjects}, private=counted.as_json())
