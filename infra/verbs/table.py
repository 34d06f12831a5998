"""Which verbs ``haihe`` has: who uses each, the module that defines it, and the sentence that ``haihe --help`` prints.

This table imports nothing, so that ``haihe --help`` is quick. The module of a verb is imported when the verb runs.
Each sentence is the first sentence of the verb's own help, which ``tests/infra/test_command_line.py`` checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

USERS: Mapping[str, str] = {
    "everyone": "所有人 Everyone",
    "city": "城市归集部门 City team",
    "researchers": "研究人员 Researchers",
    "platform": "平台 Platform team",
    "banks": "银行 Banks",
    "auditors": "审计 Auditors",
}
"""The groups of ``haihe --help`` in their order, with their titles."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: a key of :data:`USERS`, the module below ``infra.verbs``, and its sentence in ``haihe --help``."""

    users: str
    module: str
    summary: str


VERBS: Mapping[str, Verb] = {
    "demo": Verb("everyone", "demo", "Run the whole way from raw record to verified score once, and write a report."),
    "up": Verb("everyone", "lab_up", "Run the whole lab on this machine until Ctrl-C."),
    "status": Verb("everyone", "status", "Show which processes run, and which version and snapshot are in production."),
    "catalogue": Verb("everyone", "audit", "Show the catalogue: its tables, or one table's fields with their rules."),
    "keys": Verb("city", "custody", "Make the keys of every zone in this home; existing keys stay."),
    "city": Verb("city", "custody", "Draw an invented city: raw files as its departments would send them."),
    "intake": Verb("city", "custody", "Check raw files and store their rows; rows that fail go to quarantine."),
    "quarantine": Verb("city", "custody", "Count the rows in quarantine by table and reason."),
    "subjects": Verb("city", "custody", "Print the codes of some subjects of a raw table."),
    "release": Verb("city", "custody", "Make a release: desensitised tables for one purpose, sealed on the shelf."),
    "repair": Verb("city", "repairs", "Repair records (信用修复) and take them out of everything that is answered."),
    "withdraw": Verb("city", "repairs", "Take records out of all answers whose repairs came in with an intake."),
    "check": Verb("researchers", "research", "Check a declaration and its SQL against the newest research release."),
    "train": Verb("researchers", "research", "Order and train one or more models on Ray."),
    "card": Verb("researchers", "research", "Print a version's model card."),
    "register": Verb("researchers", "compute", "Put a version into MLflow and request its promotion."),
    "account": Verb("platform", "accounts", "Manage who may log in to the lab."),
    "project": Verb("platform", "accounts", "Manage projects: who works on which tables until when."),
    "promote": Verb("platform", "compute", "Judge a version at the gate and, when it passes, make it the champion."),
    "snapshot": Verb("platform", "compute", "Score every subject with the champion, for the service to answer from."),
    "dossiers": Verb("platform", "inquiry", "Make the credit files (信用档案) that queries and reports are made of."),
    "evaluate": Verb("platform", "evaluate", "Evaluate every subject for a month: grades, and who rose or fell."),
    "export": Verb("platform", "exports", "Write a version as one SQL SELECT or as PMML, for another system."),
    "serve": Verb("platform", "service", "Run the scoring service alone; it needs neither Ray nor MLflow."),
    "bank": Verb("platform", "service", "Add a bank or an agency, or change its secret, keys and limits."),
    "mandate": Verb("platform", "service", "Record a subject's mandate (授权书) for a bank, and print its id."),
    "revoke": Verb("platform", "service", "Revoke a mandate; from now on it permits nothing."),
    "review": Verb("platform", "service", "Answer an objection as a person of the platform (PIPL article 24)."),
    "usage": Verb("platform", "bank_usage", "Count what each bank used in a month, by product and status."),
    "sandbox": Verb("platform", "bank_usage", "Make an invented bank with invented firms, for developers."),
    "sweep": Verb("platform", "retention", "Destroy releases and snapshots whose retention period is over."),
    "score": Verb("banks", "service", "Request a subject's score as a bank would."),
    "report": Verb("banks", "inquiry", "Get a subject's public credit report (公共信用报告) with its signature."),
    "verify-report": Verb("banks", "inquiry", "Check offline that the service signed a report or an answer."),
    "trace": Verb("auditors", "audit", "Trace a score or a seal back to its release and verify everything on the way."),
    "ledger": Verb("auditors", "audit", "Verify or show the ledgers: who did what, when, on which grounds."),
    "shelf": Verb("auditors", "audit", "List every seal on the shelf."),
}
