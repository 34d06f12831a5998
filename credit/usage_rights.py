"""Usage rights (使用权限): for whom and for which purpose what is derived from records of a table may be used.

The catalogue gives each table and field one right. The table *right × recipient × purpose* is data
(``usage_rights.yaml``). What a model or an evaluation reads decides what it may serve: each right behind it must permit
the use. What is not listed, and what is not known, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from credit.errors import Malformed, Refused
from credit.messages import Text

RIGHTS_FILE = Path(__file__).with_name("usage_rights.yaml")


class UsageRight(StrEnum):
    """A right of the catalogue, in its own words."""

    CREDIT_EVALUATION = "可用于信用评价"
    JOINT_MODELLING = "仅用于联合建模"
    SUBJECT_VERIFICATION = "仅用于主体核验"
    ENDING_USE = "用于终止使用被修复的记录"
    RESEARCH = "研究使用，不得再发布"


class Recipient(StrEnum):
    """Who receives what is derived from records."""

    RESEARCHER = "researcher"
    BANK = "bank"  # under the subject's mandate
    AGENCY = "agency"
    SUBJECT = "subject"
    ANYONE = "anyone"


class Purpose(StrEnum):
    """What it is used for."""

    TRAINING = "training"
    LENDING_SCORE = "lending_score"
    EVALUATION = "evaluation"
    SUPERVISION = "supervision"
    INQUIRY = "inquiry"


_RECIPIENTS = {
    Recipient.RESEARCHER: "usage-rights.recipient-researcher",
    Recipient.BANK: "usage-rights.recipient-bank",
    Recipient.AGENCY: "usage-rights.recipient-agency",
    Recipient.SUBJECT: "usage-rights.recipient-subject",
    Recipient.ANYONE: "usage-rights.recipient-anyone",
}
_PURPOSES = {
    Purpose.TRAINING: "usage-rights.purpose-training",
    Purpose.LENDING_SCORE: "usage-rights.purpose-lending-score",
    Purpose.EVALUATION: "usage-rights.purpose-evaluation",
    Purpose.SUPERVISION: "usage-rights.purpose-supervision",
    Purpose.INQUIRY: "usage-rights.purpose-inquiry",
}
Use = tuple[Recipient, Purpose]
RightsTable = Mapping[UsageRight, frozenset[Use]]
TRAINING_USE: Use = (Recipient.RESEARCHER, Purpose.TRAINING)
LENDING_USE: Use = (Recipient.BANK, Purpose.LENDING_SCORE)
EVALUATION_USES: tuple[Use, ...] = (
    (Recipient.AGENCY, Purpose.SUPERVISION),
    (Recipient.AGENCY, Purpose.EVALUATION),
    (Recipient.BANK, Purpose.EVALUATION),
    (Recipient.SUBJECT, Purpose.EVALUATION),
)
"""All uses of the public evaluation (公共信用综合评价)."""


def read_right(text: Any, where: str) -> UsageRight:
    """The right that a text of a catalogue is; raises :class:`Malformed` for any other text."""
    try:
        return UsageRight(text)
    except ValueError:
        allowed = ", ".join(UsageRight)
        raise Malformed("fields.not-a-value", here=where, key="usage", data=text, allowed=allowed) from None


@cache
def rights_table(path: Path = RIGHTS_FILE) -> RightsTable:
    """The table of a YAML file, read once; raises :class:`Malformed` unless it has exactly the known rights."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))["rights"]
        table = {
            UsageRight(right): frozenset(
                (Recipient(who), Purpose(purpose)) for who, purposes in uses.items() for purpose in purposes
            )
            for right, uses in data.items()
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        why = Text.verbatim(type(error).__name__)
        raise Malformed("usage-rights.table-unreadable", why=why, path_name=path.name) from error
    if set(table) != set(UsageRight):
        why = Text.of("usage-rights.table-incomplete", rights=", ".join(sorted(set(UsageRight) - set(table))))
        raise Malformed("usage-rights.table-unreadable", why=why, path_name=path.name)
    return MappingProxyType(table)


def permits(rights: Iterable[UsageRight], use: Use) -> bool:
    """Whether each of these rights permits the use; without any right nothing is permitted."""
    named = frozenset(rights)
    return bool(named) and all(use in rights_table()[right] for right in named)


def require_use(rights: Iterable[UsageRight], *uses: Use) -> None:
    """Raise :class:`Refused`, naming the right, the recipient and the purpose, unless all uses are permitted."""
    named = frozenset(rights)
    for recipient, purpose in uses:
        refusing = sorted(right for right in named if not permits((right,), (recipient, purpose)))
        if refusing or not named:
            raise Refused(
                "usage-rights.not-permitted",
                right=Text.of("usage-rights.unknown") if not named else Text.verbatim("、".join(refusing)),
                recipient=Text(_RECIPIENTS[recipient]),
                purpose=Text(_PURPOSES[purpose]),
            )


def stated_rights(terms: Mapping[str, Any]) -> frozenset[UsageRight]:
    """The rights that the terms of a sealed model or evaluation name under ``usage``.

    A seal that names none, or one that is not known here, counts as made from market data: the strictest of what is
    served, which reaches a bank under a mandate and no other recipient.
    """
    try:
        named = frozenset(UsageRight(each) for each in terms["usage"])
    except (KeyError, TypeError, ValueError):
        named = frozenset()
    return named or frozenset({UsageRight.JOINT_MODELLING})
