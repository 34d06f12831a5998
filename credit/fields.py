"""A field of a catalogue table: its names, its permitted values, who may see it, and its rule per purpose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from credit.errors import Malformed
from credit.usage_rights import Purpose, Recipient, UsageRight, permits, read_right

TYPES = ("string", "integer", "number", "date", "boolean")
ROLES = ("direct", "quasi", "sensitive", "none")  # 直接标识符, 准标识符 (GB/T 37964-2019), sensitive attribute, none
OPENNESS = ("社会公开", "依申请公开", "不公开")  # 公开属性
SHARING = ("无条件共享", "有条件共享", "不予共享")  # 共享范围
INQUIRY = "inquiry"  # the purpose of a release from which records of a named subject are shown (查询)
WITH_MANDATE = ("授权查询", "特定范围内公开")  # scopes of a record that needs the subject's mandate (授权书)
NEVER_DISCLOSED = ("政府部门内部共享", "不可公开")  # scopes of a record that is never shown
VISIBLE_TO = ("anyone", "mandate", "nobody")  # who may see a field in an answer to an inquiry
_KEYS = {
    "name", "column", "title", "type", "unit", "required", "enum", "minimum", "maximum", "pattern", "max_length",
    "role", "openness", "sharing", "usage", "rules", "formats", "scale", "sensitivity", "number", "synonyms", "wording"
}  # fmt: skip
_NEEDED = {"name", "column", "title", "type", "role"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field (数据项). ``name`` is its official code or term, ``column`` its English name in tables and releases.

    ``unit`` is the unit of the official layout (万元 = 10,000 yuan where the standard uses it); ``scale`` multiplies
    the given number into that unit. ``formats`` are the additional date formats (strptime) of known sources.
    ``number`` says that it is the number of a document: a document may say that it has none. ``synonyms`` are other
    words for values of the enum, and ``wording`` names the field that keeps the source's own words, where they are not
    one value of it (several kinds in one cell, ``其他-…``).
    """

    name: str
    column: str
    title: str
    type: str
    role: str
    openness: str
    sharing: str
    usage: UsageRight
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
    number: bool = False
    synonyms: Mapping[str, str] = field(default_factory=dict)
    wording: str | None = None

    def rule(self, purpose: str) -> str:
        """The rule for a purpose; ``drop`` when there is none, so that a forgotten rule publishes nothing."""
        return self.rules.get(purpose, "drop")

    @property
    def visible_to(self) -> str:
        """Who may see the field in an answer to an inquiry: one of ``VISIBLE_TO``.

        It follows from 公开属性 and 共享范围 (天津市社会信用条例 arts. 10–11): 依申请公开 needs a mandate.
        """
        if self.openness == "不公开" or self.sharing == "不予共享":
            return "nobody"
        return "anyone" if self.openness == "社会公开" else "mandate"

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str) -> Field:
        """Read one field; raises :class:`Malformed` with the file, field and key that are wrong."""
        here = f"{where}: field {data.get('name', '?')}"
        require_keys(data, known=_KEYS, needed=_NEEDED, where=here)
        for key, allowed in (("type", TYPES), ("role", ROLES), ("openness", OPENNESS), ("sharing", SHARING)):
            if data[key] not in allowed:
                raise Malformed("fields.not-a-value", here=here, key=key, data=data[key], allowed=", ".join(allowed))
        rules = data.get("rules") or {}
        hidden = ("drop", "subject", "pseudonym")
        elsewhere = [rule for purpose, rule in rules.items() if purpose != INQUIRY]
        if data["role"] == "direct" and any(rule not in hidden for rule in elsewhere):
            raise Malformed("fields.direct-identifier", here=here, rules=rules)
        if any(rule.startswith("show") for rule in elsewhere):
            raise Malformed("fields.show-in-inquiry-only", here=here, rules=rules)
        parsed = cls(
            name=data["name"],
            column=data["column"],
            title=data["title"],
            type=data["type"],
            role=data["role"],
            openness=data["openness"],
            sharing=data["sharing"],
            usage=read_right(data["usage"], here),
            unit=data.get("unit"),
            required=bool(data.get("required", False)),
            enum=tuple(str(each) for each in data.get("enum") or ()),
            minimum=data.get("minimum"),
            maximum=data.get("maximum"),
            pattern=data.get("pattern"),
            max_length=data.get("max_length"),
            rules=MappingProxyType(dict(rules)),
            formats=tuple(data.get("formats") or ()),
            scale=float(data.get("scale", 1.0)),
            sensitivity=data.get("sensitivity"),
            number=bool(data.get("number", False)),
            synonyms=MappingProxyType({str(k): str(v) for k, v in (data.get("synonyms") or {}).items()}),
            wording=data.get("wording"),
        )
        if parsed.visible_to == "nobody" and parsed.rule(INQUIRY) not in hidden:
            raise Malformed("fields.not-for-inquiry", here=here, openness=parsed.openness, sharing=parsed.sharing)
        if parsed.rule(INQUIRY) != "drop" and not permits((parsed.usage,), (Recipient.BANK, Purpose.INQUIRY)):
            raise Malformed("fields.usage-not-for-inquiry", here=here, usage=parsed.usage)
        return parsed


def require_keys(data: Any, *, known: Collection[str], needed: Collection[str], where: str) -> None:
    """Raise :class:`Malformed` with the key that is missing or not known."""
    if not isinstance(data, Mapping):
        raise Malformed("fields.not-mapping", where=where)
    for key in data:
        if key not in known:
            raise Malformed("fields.key-not-known", where=where, key=key, known=", ".join(sorted(known)))
    for key in sorted(needed):
        if key not in data:
            raise Malformed("fields.key-missing", where=where, key=key)
