"""Counts in sentences (行文中的计数): a few firms are a small cell in whatever numerals they are written.

Digits, Chinese numerals, number words and, after NFKC, circled digits and those of full width are read before a noun
that names subjects; shares in per cent, per mille and ten-thousandths are multiplied by the subjects of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from credit.messages import Text
from lab.airlock.issue import Issue, fail, review
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds

_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_ENGLISH = {word: n for n, word in enumerate(_TO_TWENTY.split())} | {
    "single": 1,
    "sole": 1,
    "both": 2,
    "pair": 2,
    "couple": 2,
    "dozen": 12,
    "half-dozen": 6,
    "i": 1,
}
_ROMAN = {"ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_DIGITS |= dict(zip("壹贰叁肆伍陆柒捌玖俩仨", (1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3), strict=True))
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_CHINESE = "".join((*_DIGITS, *_UNITS, "万"))
_SURE_NOUNS = (
    r"(?:firms?|subjects?|enterprises?|compan(?:y|ies)|business(?:es)?|borrowers?|households?|shops?|merchants?"
    r"|debtors?|defaulters?)"
)
_OTHER_NOUNS = r"(?:customers?|clients?|persons?|people|individuals?|owners?)"  # who may be the author's colleagues
_NOUNS = rf"(?:{_SURE_NOUNS}|{_OTHER_NOUNS})"
_SURE_CHINESE = r"(?:户|家(?!庭)|[个位]?(?:企业|公司|个体户|个体工商户|主体|借款人|商户|法人|店))"
_OTHER_CHINESE = r"(?:名|人(?!民|员|工|均|口|行|力|才)|[个位](?:客户|自然人|居民))"
_CHINESE_NOUNS = rf"(?:{_SURE_CHINESE}|{_OTHER_CHINESE})"
_SURE = re.compile(rf"(?i)(?:{_SURE_NOUNS}|{_SURE_CHINESE})\)?$|^(?:{_SURE_NOUNS}|n)\b")
_BOUND = re.compile(  # of a rule or a ranking rather than a count: “at least 5 firms”, “the top 3 firms”
    r"(?i)(?:\b(?:to|than|least|most|over|under|above|below|top|largest|leading|first|every|each|or)|[<>≤≥]|\d ?[~–-]"
    r"|前|至|到|至少|最少|至多|最多|不少于|不足|少于|多于|超过|每|满)\s*$"
)
_BETWEEN = r"(?:\s+[a-z-]{2,20}){0,2}"  # “three small firms”
_WORDS = "|".join((*_ENGLISH, *_ROMAN))
_COUNTED = re.compile(rf"(?i)(?<![\w.,%-])(\d{{1,7}}|{_WORDS})(?:\s+of(?:\s+the)?)?{_BETWEEN}\s+{_NOUNS}\b")
_LABELLED = re.compile(
    rf"(?i)\b{_NOUNS}\s*[:=]\s*(\d{{1,7}}|{_WORDS})\b(?![.,]\d)|(?i:\bn)\s*=\s*(\d{{1,7}})\b(?![.,]\d)"
)
_COUNTED_CHINESE = re.compile(
    rf"(?<![\d.,第每任某单{_CHINESE}])\(?(\d{{1,7}}|[{_CHINESE}]{{1,6}})\)?\s?(?:多|余)?{_CHINESE_NOUNS}"
)
_SHARE = re.compile(
    r"(\d+(?:\.\d+)?)\s*(%|‰|‱|per ?cent\b|per ?mille\b|per mil\b)|([千万百])分之\s*([\d.]+|[" + _CHINESE + r"]+)"
)
_PARTS = {"%": 100, "‰": 1000, "千": 1000, "万": 10000, "百": 100}


def number_in_words(text: str) -> int | None:
    """The whole number that digits, a number word or a Chinese numeral write; None for another text."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit():
        return int(word)
    if word in _ENGLISH or word in _ROMAN:
        return _ENGLISH.get(word, _ROMAN.get(word))
    if not word or any(char not in _CHINESE for char in word):
        return None
    total, digit = 0, 0
    for char in word:
        if char == "万":
            total, digit = (total + digit or 1) * 10_000, 0
        elif char in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[char], 0
        else:
            digit = digit * 10 + _DIGITS[char]
    return total + digit


def counts_in(text: str) -> Iterator[tuple[int, int, bool]]:
    """The place of each count of subjects in a text, its number, and whether it certainly counts them."""
    for pattern in (_COUNTED, _LABELLED, _COUNTED_CHINESE):
        for match in pattern.finditer(text):
            number = number_in_words(next(group for group in match.groups() if group))
            if number is not None:
                bound = _BOUND.search(text, max(0, match.start() - 12), match.start())
                yield match.start(), number, _SURE.search(match[0]) is not None and bound is None


def small_counts_in_words(text: str, about: FileDescription, t: Thresholds) -> Iterator[Issue]:
    """No sentence counts 1 to ``count_at_least - 1`` subjects; one subject, and small shares, go to review."""
    least = t["count_at_least"]
    counts = [(number, text.count("\n", 0, place) + 1, sure) for place, number, sure in counts_in(text)]
    small = sorted({line for number, line, sure in counts if 1 < number < least and sure})
    single = sorted({line for number, line, sure in counts if number == 1 or (1 < number < least and not sure)})
    exact = sorted({line for number, line, _ in counts if number >= least and number % t["rounding_base"]})
    if small:
        yield fail(Text.of("airlock.small-in-words", least=least), Text.of("airlock.small-in-words-fix", least=least),
                   lines=small[:10], how_many=len(small))  # fmt: skip
    if single:
        yield review(Text.of("airlock.one-in-words"), Text.of("airlock.one-in-words-fix"), lines=single[:10])
    if exact:
        base = t["rounding_base"]
        yield review(Text.of("airlock.not-rounded", base=base), Text.of("airlock.not-rounded-fix", base=base),
                     lines=exact[:10])  # fmt: skip
    shares = sorted(set(_small_shares(text, about.subjects, least)))
    if shares:
        yield review(Text.of("airlock.share-in-words", least=least), Text.of("airlock.small-shares-fix"),
                     lines=shares[:10])  # fmt: skip


def _small_shares(text: str, subjects: int, least: int) -> Iterator[int]:
    """The lines with a share that would be 1 to ``least - 1`` of the file's subjects."""
    for match in _SHARE.finditer(text):
        if match[3]:
            part, number = _PARTS[match[3]], _number(match[4])
        else:
            sign = match[2].lower()
            part, number = _PARTS.get(sign, 100 if "cent" in sign else 1000), float(match[1])
        if number is not None and subjects and 0.5 <= number / part * subjects < least - 0.5:
            yield text.count("\n", 0, match.start()) + 1


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        whole = number_in_words(text)
        return None if whole is None else float(whole)
