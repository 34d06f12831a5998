"""Chinese words (中文词语): characters that make up no words are no sentence, and are charged as what they could carry.

The words are those of jieba's dictionary (MIT), 350,000 of them, by its Rust library. Characters that often stand alone
(的, 和, 在, numerals, units) are words of one character; a text has a few others, which are free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_ALONE = frozenset(
    "的了和与及或在是为有无不未已将被把对向从自由于以按据经至到后前中内外上下间时其该本此这那各每某另并且但而则即若如因故"
    "又也均都就才仅只更最较很太约近超共总分合各新旧大小高低多少长短好差快慢强弱真假"
    "一二三四五六七八九十百千万亿零两几半第个户家人名位件条项次笔份页章节表图式组类种级档期年月日天周季时分秒元角"
    "区市县省镇乡村街路号栏列行格键值列库层段点线面边角比率数量额度差和积商"
    "我你他她它们来去用给让使作做看见说想要能会可应须需得着过起出入进回"
)
_CHINESE = re.compile("[\u4e00-\u9fff]+")
WINDOW = 40  # characters
LONE_FREE = 0.2  # of a window: so many characters of an ordinary text may belong to no word
FEW = 3  # of them say nothing
CHARACTER = 11.9  # bits: one of the 3,755 of the first level


@cache
def _dictionary() -> Any:
    import rjieba  # it reads its dictionary when it is needed

    return rjieba.Jieba()


def is_chinese_word(text: str) -> bool:
    """True for a word of the dictionary with two characters or more."""
    return len(text) > 1 and text in _dictionary().cut_all(text)


def senseless(text: str) -> Iterator[tuple[str, float]]:
    """The windows of a text in which too few characters make up words, and the bits that they could carry."""
    words = [word for run in _CHINESE.findall(text) for word in _dictionary().cut(run, False)]
    characters = [(char, len(word) == 1 and char not in _ALONE) for word in words for char in word]
    for start in range(0, len(characters), WINDOW):
        window = characters[start : start + WINDOW]
        lone = sum(alone for _, alone in window)
        if lone > max(LONE_FREE * len(window), FEW):
            yield "".join(char for char, _ in window), lone * CHARACTER
