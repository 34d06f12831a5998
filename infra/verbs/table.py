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


_SUMMARIES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "everyone": {
        "lab.demo": {
            "demo": "Run the whole way from raw record to verified score once, and write a report.",
        },
        "lab.up": {
            "up": "Run the whole lab on this machine until Ctrl-C.",
        },
        "lab.signing_in": {
            "login": "Sign in through the lab's page in a browser.",
            "logout": "Sign out: the token is revoked at the lab and removed here.",
            "whoami": "Show as whom the front desk knows you: account, roles, and how you signed in.",
        },
        "lab.requests": {
            "requests": "See what is requested, cancel it, or confirm what another person requested.",
        },
        "lab.status": {
            "status": "Show which processes run, and which version and snapshot are in production.",
        },
        "lab.audit": {
            "catalogue": "Show the catalogue: its tables, or one table's fields with their rules.",
        },
    },
    "city": {
        "custody.records": {
            "keys": "Make the keys of every zone in this home; existing keys stay.",
            "city": "Draw an invented city: raw files as its departments would send them.",
            "intake": "Check raw files and store their rows; rows that fail go to quarantine.",
            "quarantine": "Count the rows in quarantine by table and reason.",
            "subjects": "Print the codes of some subjects of a raw table.",
            "release": "Make a release: desensitised tables for one purpose, sealed on the shelf.",
        },
        "custody.history": {
            "deliveries": "List what was brought in: when, by whom, how many rows were stored and how many wait.",
            "mappings": "List the mappings of source units that are kept: which files, which table, which columns.",
            "repairs": "List repairs and withdrawals: when, by whom, how far each is, and what could not be repaired.",
        },
        "custody.quality": {
            "quality": "Measure the data of licences and penalties (双公示) in a month.",
        },
        "custody.registers": {
            "commitments": "Count credit commitments (信用承诺) by agency: due, checked, kept, broken, repaired.",
            "holdings": "Count what the vault has (归集总览): rows and years by table, deliveries by source unit.",
            "theme": "Count a theme library (专项主题库): its subjects, and its records by table.",
        },
        "custody.destruction": {
            "shred": "Destroy the key of a table's period, so that its rows cannot be read again (密钥销毁).",
        },
        "custody.practice": {
            "practice": "Make practice tables (练习数据): every table of the catalogue, invented.",
        },
        "custody.repairs": {
            "repair": "Repair records (信用修复) and take them out of everything that is answered.",
            "withdraw": "Take records out of all answers whose repairs came in with an intake.",
        },
    },
    "researchers": {
        "models.training": {
            "check": "Check a declaration and its SQL against the newest research release.",
            "train": "Order and train one or more models on Ray.",
            "card": "Print a version's model card.",
        },
        "models.rows": {
            "rows": "Make rows of features (特征行) of real subjects, among which no subject is found.",
            "attack": "Attack rows that were released, as their gate did.",
        },
        "models.tables": {
            "table": "Make an aggregate table (汇总表) over records, judged on the subjects in each cell.",
        },
        "lab.airlock": {
            "airlock": "Try what may leave the lab.",
        },
        "models.promotion": {
            "register": "Put a version into MLflow and request its promotion.",
        },
    },
    "platform": {
        "lab.accounts": {
            "account": "Manage who may log in to the lab.",
            "project": "Manage projects: who works on which tables until when.",
        },
        "lab.os_users": {
            "os-user": "Manage which operating-system user of this machine acts as which account.",
        },
        "models.promotion": {
            "promote": "Judge a version at the gate and, when it passes, make it the champion.",
            "snapshot": "Score every subject with the champion, for the service to answer from.",
        },
        "service.inquiry": {
            "dossiers": "Make the credit files (信用档案) that queries and reports are made of.",
        },
        "models.history": {
            "history": "Show which version of a model was in production when, and who decided it.",
        },
        "models.monitoring": {
            "monitor": "Report on a model in production: what arrives, and how good it was as labels ripen.",
            "alerts": "List the open alerts of monitoring, or acknowledge one with a reason.",
        },
        "models.differences": {
            "compare": "Show what differs between two versions: features, which ranks better, who gets another grade.",
        },
        "models.evaluate": {
            "evaluate": "Evaluate every subject for a month: grades, and who rose or fell.",
        },
        "models.exports": {
            "export": "Write a version as one SQL SELECT or as PMML, for another system.",
        },
        "service.scoring": {
            "serve": "Run the scoring service alone; it needs neither Ray nor MLflow.",
        },
        "service.banks": {
            "bank": "Add a bank or an agency, or change its secret, keys and limits.",
            "mandate": "Record a subject's mandate (授权书) for a bank, and print its id.",
            "revoke": "Revoke a mandate; from now on it permits nothing.",
            "review": "Answer an objection as a person of the platform (PIPL article 24).",
        },
        "service.answers": {
            "stop-answers": "Stop all answers of the scoring service at once, until they are started again.",
            "start-answers": "Let the scoring service answer again.",
        },
        "lab.backup": {
            "backup": "Back up this home while it runs: its data into one folder, its keys into another.",
            "restore": "Make the home that HAIHE_HOME names of a backup, and say what is lost.",
        },
        "lab.exits": {
            "close-exits": "Let nothing leave the lab until the exits are opened again.",
            "open-exits": "Let what is approved leave the lab again.",
        },
        "service.applications": {
            "applications": "See the applications of banks for mandates, and confirm or refuse them.",
            "subject": "Register what a subject uses to act for itself.",
        },
        "service.bank_usage": {
            "usage": "Count what each bank used in a month, by product and status.",
            "sandbox": "Make an invented bank with invented firms, for developers.",
        },
        "custody.retention": {
            "sweep": "Destroy releases and snapshots whose retention period is over.",
        },
    },
    "banks": {
        "service.scoring": {
            "score": "Request a subject's score as a bank would.",
        },
        "service.inquiry": {
            "report": "Get a subject's public credit report (公共信用报告) with its signature.",
            "verify-report": "Check offline that the service signed a report or an answer.",
            "verify-code": "Check offline the QR code of a special report (信用代证), and print what it says.",
        },
    },
    "auditors": {
        "lab.audit": {
            "trace": "Trace a score or a seal back to its release and verify everything on the way.",
            "ledger": "Verify or show the ledgers: who did what, when, on which grounds.",
            "shelf": "List every seal on the shelf.",
        },
    },
}
"""Users -> module -> verb -> summary."""

VERBS: Mapping[str, Verb] = {
    name: Verb(users, module, summary)
    for users, modules in _SUMMARIES.items()
    for module, summaries in modules.items()
    for name, summary in summaries.items()
}
