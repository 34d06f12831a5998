"""The forms in which sources write values, brought into one form: days, numbers with units, terms, document numbers.

Each function takes a text and returns the one form of what it clearly says (``2023-05-06``, ``12.5``, a value of the
enum); a text that is not clear comes back as it is, and the checks then reject it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

ABSENT = ("无", "/", "\\", "-", "--", "—", "——", "－", "null", "n/a", "na", "#n/a", "none", "\\n", "空", "暂无")
"""What says that there is no value, in lower case."""
NO_NUMBER = ("见附件", "详见附件", "无文号", "无编号", "不详", "待定")
"""What stands where a document has no number, beside ``ABSENT``."""
NO_END = frozenset(
    ("长期", "长期有效", "永久", "永久有效", "无固定期限", "无限期", "无期限", "不限期", "至长期", "长期至永久")
)
YUAN = {"元": 1, "千元": 10**3, "万元": 10**4, "万": 10**4, "亿元": 10**8, "亿": 10**8}
UNITS = ("元", "万元", "亿元", "千元", "人", "天", "%")
FOREIGN = ("美元", "港元", "欧元", "日元", "英镑")
TRUE, FALSE = ("true", "1", "是", "有", "y", "yes", "t"), ("false", "0", "否", "无", "n", "no", "f")
EARLIEST_SERIAL, LATEST_SERIAL = 36526, 73050  # Excel's numbers of 2000-01-01 and 2099-12-31
_EPOCH = date(1899, 12, 30)
_CHINA = timedelta(hours=8)
_CHINESE = str.maketrans("〇零一二三四五六七八九", "00123456789")
_CLOCK = r"(?:[ T]*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DAY = re.compile(r"(\d{4}) *[-/.年] *(\d{1,2}) *[-/.月] *(\d{1,2}) *日?" + _CLOCK)
_ZONED = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)? ?(Z|[+-]\d{2}:?\d{2})")
_ENDLESS = re.compile(r"9999[-/.年]?12[-/.月]?31日?.*|0000[-/.]?00[-/.]?00.*|1900[-/.]0?1[-/.]0?0(?: .*)?")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?|[+-]?\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?"
_MONEY = re.compile(rf"(?:人民币|RMB|[￥¥])? *({_NUMBER}) *(亿元|万元|千元|元|万|亿)?整?")
_WHOLE = re.compile(r"([+-]?\d+|[+-]?\d{1,3}(?:,\d{3})+)(?:\.0+)? *(\D*)")
_SEVERAL = re.compile(r" *[;；、,，]+ *")
_BRACKETED_YEAR = re.compile(r"[\[(（【﹝〔［](\d{4})[\])）】﹞〕］]")


def day(text: str, formats: Sequence[str] = ()) -> str:
    """A date as ``2023-05-06``: year, month and day in this order, with or without a time; exactly eight digits; the
    number of a day in Excel; a form of ``formats``. A moment with a time zone is the day it is in China."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for each in formats:
        try:
            return datetime.strptime(plain, each).date().isoformat()
        except ValueError:
            continue
    try:
        return _day(plain) or text
    except (ValueError, OverflowError):  # no such day
        return text


def _day(plain: str) -> str | None:
    if re.fullmatch(r"\d{8}|\d{14}", plain, re.ASCII):
        if len(plain) == 14:
            datetime.strptime(plain, "%Y%m%d%H%M%S")
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:8])).isoformat()
    if match := re.fullmatch(r"(\d{5})(?:\.\d+)?", plain, re.ASCII):
        number = int(match[1])
        return (_EPOCH + timedelta(number)).isoformat() if EARLIEST_SERIAL <= number <= LATEST_SERIAL else None
    if match := _ZONED.fullmatch(plain):
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3].replace('Z', '+00:00')}")
        return ((moment - (moment.utcoffset() or timedelta())) + _CHINA).date().isoformat()
    arabic = plain.translate(_CHINESE)
    for pattern, into in ((r"(\d)十(\d)", r"\1\2"), (r"(\d)十", r"\g<1>0"), (r"十(\d)", r"1\1"), ("十", "10")):
        arabic = re.sub(pattern, into, arabic)
    match = _DAY.fullmatch(arabic)
    return date(int(match[1]), int(match[2]), int(match[3])).isoformat() if match else None


def is_endless(text: str) -> bool:
    """Whether a day says that there is no end (长期, 9999-12-31), or no day (0000-00-00)."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return plain in NO_END or _ENDLESS.fullmatch(plain) is not None


def number(text: str, unit: str | None) -> str:
    """A number in a unit: with thousands grouped, in full width, with another unit of money than the field's."""
    plain = unicodedata.normalize("NFKC", text).replace("￥", "¥").strip()
    into = YUAN.get(unit or "")
    if unit in UNITS and unit and not into and plain.endswith(unit):
        plain = plain.removesuffix(unit).strip()
    match = _MONEY.fullmatch(plain)
    if match is None or (match[2] and not into):
        return text
    digits = match[1].replace(",", "").replace(" ", "")
    if not match[2] or YUAN[match[2]] == into or not into:
        return digits
    return repr(float(digits) * YUAN[match[2]] / into)


def integer(text: str, unit: str | None) -> str:
    """A whole number: with the field's unit, with 年 or 年度, with thousands grouped, in full width."""
    match = _WHOLE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    allowed = {"", "年", "年度", *([unit] if unit in UNITS else [])}
    return match[1].replace(",", "") if match and match[2].strip() in allowed else text


def term(text: str, enum: Sequence[str], synonyms: Mapping[str, str]) -> str:
    """A value of an enum: in another case or width, with 级, by a synonym, or as ``其他-…``."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain in synonyms:
        return synonyms[plain]
    if "其他" in enum and re.match("(其他|其它)[-—:：]", plain):
        return "其他"
    by_case = {each.casefold(): each for each in enum}
    short = plain.removesuffix("级").strip()
    return by_case.get(plain.casefold()) or by_case.get(short.casefold()) or text


def first_term(text: str, enum: Sequence[str], synonyms: Mapping[str, str]) -> str:
    """The first of several values of an enum in one cell, between semicolons, commas or ``、``; the text where one of
    them is none."""
    several = [term(part, enum, synonyms) for part in _SEVERAL.split(text) if part]
    return several[0] if several and all(each in enum for each in several) else text


def document_number(text: str) -> str:
    """The number of a document with one form of brackets around its year."""
    return _BRACKETED_YEAR.sub(r"〔\1〕", text)
