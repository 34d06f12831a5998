"""The steps of custody that measure and supervise what is stored: data quality (双公示)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credit.catalogue import Catalogue
from credit.requests.task import StepResult, Task
from privacy.quality.measures import measure_month
from privacy.quality.rules import QualityRules
from privacy.quality.sampling import draw_sample

if TYPE_CHECKING:
    from infra.agents.custody import Custody


def measure_quality(custody: Custody, task: Task, catalogue: Catalogue) -> StepResult:
    """Measure a month, and draw a sample of ``sample`` places where the person wants one.

    The numbers go to the person: by unit and item they are no subject's, and a ledger need not keep each of them.
    """
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
