"""The catalogue of the city has every required table in official terms, and no rule that releases a direct
identifier.
"""

from __future__ import annotations

import re

import pytest

from credit.catalogue import Catalogue, Table
from credit.fields import Field

CITY = Catalogue.load("city")
FIELDS = [pytest.param(t, f, id=f"{t.name}.{f.column}") for t in CITY.tables.values() for f in t.fields]
TABLES = [pytest.param(t, id=t.name) for t in CITY.tables.values()]
NAMED = (
    "registration administrative_licence administrative_penalty judgment_debtor dishonest_judgment_debtor "
    "serious_dishonesty_list abnormal_operation_list abnormal_operation_mark tax_credit_rating tax_arrears "
    "social_insurance_arrears utility_arrears credit_commitment contract_performance credit_repair honour "
    "loan_performance invoice"
)
IDENTIFYING = re.compile(
    r"name|representative(?!_document_kind)|number|address|telephone|facts|content|remarks|scope$|conduct|duty|occasion"
)
OFFICIAL = {  # DOMAIN.md §3.4, 3.6, 3.7, 3.11, 3.12
    ("administrative_licence", "XK_XKLB"): "普通 特许 认可 核准 登记 其他",
    ("administrative_penalty", "CF_CFLB"): (
        "警告 通报批评 罚款 没收违法所得 没收非法财物 暂扣许可证件 降低资质等级 吊销许可证件 "
        "限制开展生产经营活动 责令停产停业 责令关闭 限制从业 行政拘留 其他"
    ),
    ("administrative_penalty", "CF_XDR_LB"): "法人及非法人组织 自然人 个体工商户",
    ("credit_commitment", "承诺人类别"): "法人及非法人组织 自然人 个体工商户",
    ("credit_commitment", "承诺类型"): "审批替代型 容缺受理型 证明事项型 信用修复型 行业自律型 主动型 其他",
    ("credit_commitment", "承诺履行状态"): "全部履行 部分履行 全部未履行",
    ("credit_commitment", "公开类型"): "可向社会公开 特定范围内公开 不可公开",
    ("dishonest_judgment_debtor", "performance"): "全部未履行 部分未履行 全部已履行",
    ("tax_credit_rating", "纳税信用级别"): "A B M C D",
    ("contract_performance", "履约状态"): "已履约 正常 违约 解除",
}
PENALTY_2018 = (
    "CF_XDR_MC CF_XDR_LB CF_XDR_SHXYM CF_XDR_GSZC CF_XDR_ZZJG CF_XDR_SWDJ CF_XDR_SYDW CF_XDR_SHZZ CF_FRDB CF_FR_ZJLX "
    "CF_FR_ZJHM CF_XDR_ZJLX CF_XDR_ZJHM CF_WSH CF_WFXW CF_SY CF_YJ CF_CFLB CF_NR CF_NR_FK CF_NR_WFFF CF_NR_ZKDX "
    "CF_JDRQ CF_YXQ CF_GSJZQ CF_CFJG CF_CFJGDM CF_SJLY CF_SJLYDM BZ"
)
LICENCE_2018 = (
    "XK_XDR_MC XK_XDR_LB XK_XDR_SHXYM XK_XDR_GSZC XK_XDR_ZZJG XK_XDR_SWDJ XK_XDR_SYDW XK_XDR_SHZZ XK_FRDB XK_FR_ZJLX "
    "XK_FR_ZJHM XK_XDR_ZJLX XK_XDR_ZJHM XK_XKWS XK_WSH XK_XKLB XK_XKZS XK_XKBH XK_NR XK_JDRQ XK_YXQZ XK_YXQZI XK_XKJG "
    "XK_XKJGDM XK_ZT XK_LYDW XK_LYDWDM BZ"
)
PENALTY_2015 = (
    "CF_WSH CF_CFMC CF_CFLB1 CF_CFLB2 CF_SY CF_YJ CF_XDR_MC CF_XDR_SHXYM CF_XDR_ZDM CF_XDR_GSDJ CF_XDR_SWDJ CF_XDR_SFZ "
    "CF_FR CF_JG CF_JDRQ CF_XZJG CF_ZT DFBM SJC BZ"
)


def test_the_tables_of_the_road_are_there() -> None:
    assert set(NAMED.split()) <= set(CITY.tables)
    assert len(CITY.tables) >= 14
    assert {t.name for t in CITY.tables.values() if t.market} == {"loan_performance", "invoice"}


@pytest.mark.parametrize(("table", "field"), FIELDS)
def test_a_field_has_all_its_properties(table: Table, field: Field) -> None:
    assert field.role in ("direct", "quasi", "sensitive", "none")
    assert field.title
    assert field.usage
    if field.type == "number":
        assert field.unit in ("元", "万元")
        assert field.minimum is not None
        assert field.maximum is not None


@pytest.mark.parametrize(("table", "field"), FIELDS)
def test_no_direct_identifier_leaves(table: Table, field: Field) -> None:
    allowed = {"subject"} if field is table.subject else {"pseudonym"} if field.column == "counterparty" else set()
    if field.role == "direct":
        assert {rule for purpose, rule in field.rules.items() if purpose != "inquiry"} <= allowed
        assert field.rule("inquiry") in (
            "drop",
            "show",
            "show_text",
            "subject",
        )  # shown as public record, or not at all
    if IDENTIFYING.search(field.column) and field.type == "string" and not field.enum:
        assert field.role == "direct" or not field.rules


@pytest.mark.parametrize("table", TABLES)
def test_features_mean_the_same_for_both_purposes(table: Table) -> None:
    for field in table.fields:
        research, scoring = field.rule("research"), field.rule("scoring")
        if field.type == "date" and research.startswith("month"):
            assert scoring == "keep"
            late = field in (table.time.known, table.time.ends) or field is not table.time.happened
            assert research == ("month_after" if late else "month")
        else:
            assert research == scoring


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_dated_checked_and_keyed(table: Table) -> None:
    assert table.dated
    assert table.checks
    assert all(field.required for field in table.key)
    assert (
        table.registers
        or any("r.registered_on" in check.bad for check in table.checks)
        or (table.name in ("credit_repair", "tax_credit_rating"))
    )
    if table.state is not None:
        assert table.state.enum[0] == "normal"


@pytest.mark.parametrize(("place", "words"), OFFICIAL.items(), ids=str)
def test_enumerations_are_the_official_ones(place: tuple[str, str], words: str) -> None:
    assert CITY.table(place[0]).field(place[1]).enum == tuple(words.split())


def test_both_layouts_of_the_double_publication_are_whole() -> None:
    penalty, licence = CITY.table("administrative_penalty"), CITY.table("administrative_licence")
    assert set(PENALTY_2018.split()) <= {field.name for field in penalty.fields}
    assert set(LICENCE_2018.split()) <= {field.name for field in licence.fields}
    assert set(PENALTY_2015.split()) <= set(penalty.layouts["2015"])
    for table in (penalty, licence):
        names = {field.name for field in table.fields}
        assert set(table.layouts["2015"].values()) <= names
        required = {field.name for field in table.fields if field.required}
        assert required <= set(table.layouts["2015"].values())


def test_fines_are_in_ten_thousands_of_yuan_and_a_commitment_has_twenty_characters() -> None:
    fine = CITY.table("administrative_penalty").field("fine")
    assert (fine.name, fine.unit, fine.maximum) == ("CF_NR_FK", "万元", 10000)
    code = CITY.table("credit_commitment").field("commitment_code")
    assert code.pattern is not None
    assert re.fullmatch(code.pattern, "12011620250731000123")
    assert not re.fullmatch(code.pattern, "1201162025073100012")
    assert not re.fullmatch(code.pattern, "12011620259931000123")
