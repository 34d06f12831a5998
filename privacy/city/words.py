"""The words of the invented city. The name of every firm begins with 海河虚构, which marks it as invented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy.city.codes import digits, uscc_codes

SYLLABLES = tuple("晟昱泓沅澜栎桉榆槿岚峤屿曜煦烁熠钰铄锦瑜琮璟珩翊翎翰骁骏驰鹭鸢雁")
TRADES = {
    "A": "农业", "C": "制造", "E": "建筑工程", "F": "商贸", "G": "运输", "H": "餐饮", "I": "软件", "K": "置业",
    "L": "商务服务", "M": "科技", "N": "环境服务", "O": "家政服务", "P": "教育咨询", "Q": "健康服务", "R": "文化传媒",
}  # fmt: skip
PLACES = {
    "120101": "和平区", "120102": "河东区", "120103": "河西区", "120104": "南开区", "120105": "河北区",
    "120106": "红桥区", "120110": "东丽区", "120111": "西青区", "120112": "津南区", "120113": "北辰区",
    "120114": "武清区", "120115": "宝坻区", "120116": "滨海新区", "120117": "宁河区", "120118": "静海区",
    "120119": "蓟州区",
}  # fmt: skip
LENDERS = tuple(f"海河虚构银行第{number}支行" for number in "一二三四五六七八")
COURTS = tuple(f"天津市{place}虚构人民法院" for place in PLACES.values())
DOMAINS = {  # 执法领域 -> the agency's name and how its documents begin
    "市场监管": ("市场监督管理局", "市监"), "城市管理": ("城市管理委员会", "城管"), "交通运输": ("交通运输局", "交运"),
    "生态环境": ("生态环境局", "环"), "住房建设": ("住房和建设委员会", "住建"), "应急管理": ("应急管理局", "应急"),
    "消防救援": ("消防救援支队", "消"), "卫生健康": ("卫生健康委员会", "卫健"), "税务": ("税务局", "税"),
    "人力社保": ("人力资源和社会保障局", "人社"), "文化旅游": ("文化和旅游局", "文旅"),
    "农业农村": ("农业农村委员会", "农业"), "其他": ("行政审批局", "审批"),
}  # fmt: skip
DOMAIN_SHARE = (38.0, 12, 12, 6, 7, 5, 7, 5, 4, 2, 1, 0.5, 0.5)
DISTRICTS = tuple(PLACES)
AGENCIES = tuple(f"虚构{PLACES[district]}{office}" for district in DISTRICTS for office, _ in DOMAINS.values())
_WHERE = np.repeat(np.array(DISTRICTS, dtype="S6"), len(DOMAINS))
AGENCY_CODES = tuple(
    code.decode() for code in uscc_codes(np.full(len(AGENCIES), b"11"), _WHERE, np.arange(len(AGENCIES)) * 7919)
)


def pick(words: tuple[str, ...], which: np.ndarray[Any, Any]) -> pa.Array:
    """The words at these indices, (n,) text."""
    return pa.array(words, pa.string()).take(pa.array(which))


def text(codes: np.ndarray[Any, Any]) -> pa.Array:
    """Fixed-width ASCII bytes (n,) as an Arrow text array."""
    return pa.array(codes).cast(pa.string())


def concatenate(*parts: str | pa.Array) -> pa.Array:
    """Element-wise concatenation of arrays and fixed words."""
    return pc.binary_join_element_wise(*[pa.scalar(p) if isinstance(p, str) else p for p in parts], "")


def numbered(head: str | pa.Array, years: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any], tail: str) -> pa.Array:
    """Document numbers such as ``津虚市监罚〔2025〕00000123号``."""
    return concatenate(head, "〔", text(digits(years, 4)), "〕", text(digits(numbers, 8)), tail)
