"""A field of a catalogue table: what it is called, what it may hold, who may see it, what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from credit.errors import Malformed

TYPES = ("string", "integer", "number", "date", "boolean")
ROLES = ("direct", "quasi", "sensitive", "none")  # 直接标识符, 准标识符 (GB/T 37964-2019), sensitive attribute, none
OPENNESS = ("社会公开", "依申请公开", "不公开")  # 公开属性
SHARING = ("无条件共享", "有条件共享", "不予共享")  # 共享范围
INQUIRY = "inquiry"  # the purpose whose release shows records of a named subject (查询)
WITH_MANDATE = ("授权查询", "特定范围内公开")  # of a record: shown under the subject's mandate (授权书) alone
WITHHELD = ("政府部门内部共享", "不可公开")  # of a record: never shown
_KEYS = {
    "name", "column", "title", "type", "unit", "required", "enum", "minimum", "maximum", "pattern", "max_length",
    "role", "openness", "sharing", "usage", "rules", "formats", "scale", "sensitivity"
}  # fmt: skip
_NEEDED = {"name", "column", "title", "type", "role"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field (数据项). ``name`` is the official code or term, ``column`` its English name in tables and releases.

    ``unit`` is the unit of the official layout (万元 = 10,000 yuan where the standard says so); ``scale`` multiplies
    the given number into that unit. ``formats`` are further date formats (strptime) a source is known to use.
    """

    name: str
    column: str
    title: str
    type: str
    role: str
    openness: str
    sharing: str
    usage: str
    unit: str | None = None
    required: bool = False
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    max_length: int | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    scale: float = 1.0
    sensitivity: int | None = None

    def rule(self, purpose: str) -> str:
        """The rule for a purpose; what has none is dropped: it fails closed."""
        return self.rules.get(purpose, "drop")

    @property
    def shown_to(self) -> str:
        """Who may be shown it in answer to an inquiry: ``anyone``, who holds a ``mandate``, or ``nobody``.

        公开属性 and 共享范围 say it (天津市社会信用条例 arts. 10–11): 依申请公开 is shown under a mandate.
        """
        if self.openness == "不公开" or self.sharing == "不予共享":
            return "nobody"
        return "anyone" if self.openness == "社会公开" else "mandate"

    @classmethod
    def parse(cls, told: Mapping[str, Any], *, where: str) -> Field:
        """Read one field; raises :class:`Malformed` naming file, field and key."""
        here = f"{where}: field {told.get('name', '?')}"
        require_keys(told, known=_KEYS, needed=_NEEDED, where=here)
        for key, allowed in (("type", TYPES), ("role", ROLES), ("openness", OPENNESS), ("sharing", SHARING)):
            if told[key] not in allowed:
                raise Malformed("fields.message", here=here, key=key, data=told[key], allowed=", ".join(allowed))
        rules = told.get("rules") or {}
        hidden = ("drop", "subject", "pseudonym")
        elsewhere = [rule for purpose, rule in rules.items() if purpose != INQUIRY]
        if told["role"] == "direct" and any(rule not in hidden for rule in elsewhere):
            raise Malformed("fields.direct-identifier-dropped-or-made", here=here, rules=rules)
        if any(rule.startswith("show") for rule in elsewhere):
            raise Malformed("fields.only-inquiry-shows-what-identifies", here=here, rules=rules)
        made = cls(
            name=told["name"],
            column=told["column"],
            title=told["title"],
            type=told["type"],
            role=told["role"],
            openness=told["openness"],
            sharing=told["sharing"],
            usage=told["usage"],
            unit=told.get("unit"),
            required=bool(told.get("required", False)),
            enum=tuple(str(each) for each in told.get("enum") or ()),
            minimum=told.get("minimum"),
            maximum=told.get("maximum"),
            pattern=told.get("pattern"),
            max_length=told.get("max_length"),
            rules=MappingProxyType(dict(rules)),
            formats=tuple(told.get("formats") or ()),
            scale=float(told.get("scale", 1.0)),
            sensitivity=told.get("sensitivity"),
        )
        if made.shown_to == "nobody" and made.rule(INQUIRY) not in hidden:
            raise Malformed("fields.inquiry-may-not-show", here=here, openness=made.openness, sharing=made.sharing)
        return made


def require_keys(told: Any, *, known: Collection[str], needed: Collection[str], where: str) -> None:
    """Raise :class:`Malformed` naming what is missing or not known."""
    if not isinstance(told, Mapping):
        raise Malformed("fields.not-mapping", where=where)
    for key in told:
        if key not in known:
            raise Malformed("fields.key-not-known", where=where, key=key, known=", ".join(sorted(known)))
    for key in sorted(needed):
        if key not in told:
            raise Malformed("fields.key-missing", where=where, key=key)
