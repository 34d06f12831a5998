"""A project's page shows what was requested for it, what the gate found in words, and when it expires."""

from __future__ import annotations

import pytest

from tests.lab.console.made_answers import EXPIRES, TABLE_SQL
from tests.lab.console.servers import Servers

pytestmark = pytest.mark.servers
WORDS = {
    "en": ("Rows and tables", "16 cells", "5,330 rows", "with this table and 3 earlier", "deleted", "Population:"),
    "zh": ("特征行与汇总表", "16 个单元格", "5,330 行", "此前 3 项表和订单", "已销毁", "范围："),
}


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("name", ["alice", "wang"])
def test_rows_and_tables_of_the_project_are_listed(servers: Servers, name: str, language: str) -> None:
    page = servers.login(name, language=language).get(f"{servers.console}projects/xiaowei").text
    for shown in (*WORDS[language], TABLE_SQL, str(EXPIRES), "2026-07-01", "defaulted"):
        assert shown in page, shown
    assert page.index("table-") < page.index("rows-"), "the newest first"


def test_those_of_other_projects_are_not(servers: Servers) -> None:
    page = servers.login("bo").get(f"{servers.console}projects/geti").text
    assert "16 cells" in page
    assert "5,330" not in page
    assert servers.login("alice").get(f"{servers.console}projects/geti").status_code == 404
