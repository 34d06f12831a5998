"""The reference comes from the service alone, in the language of its reader, and tries nothing on real subjects."""

from __future__ import annotations

import re
from typing import Any

import pytest

from serving.app.reference.pages import reference_page


def test_the_page_and_all_that_it_loads_come_from_the_service(running: Any) -> None:
    page = running.http.get("/docs")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    loaded = re.findall(r'(?:src|href|data-document)="(/[^"]+)"', page.text)
    assert len(loaded) >= 5
    for path in loaded:
        answer = running.http.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) > 100, path
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert running.http.get("/docs/pages.py").status_code == 404
    assert running.http.get("/docs/openapi.fr.json").status_code == 404


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [("", "zh-CN", "zh"), ("", "de", "en"), ("?lang=zh", "en", "zh"), ("?lang=x", "en", "en")],
)
def test_the_page_is_in_the_readers_language(running: Any, query: str, accepted: str, language: str) -> None:
    page = running.http.get(f"/docs{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    document = running.http.get(f"/docs/openapi.{language}.json").json()
    assert ("评分" in document["paths"]["/v1/scores"]["post"]["summary"]) == (language == "zh")


@pytest.mark.attack
def test_requests_can_be_tried_only_where_every_record_is_invented(running: Any) -> None:
    assert 'data-try-it="no"' in running.http.get("/docs").text  # a service without credit files counts as real
    assert 'data-try-it="yes"' in reference_page("en", has_invented_data=True, sandbox="")
    page = reference_page("zh", has_invented_data=False, sandbox='https://sandbox.example/"><script>')
    assert 'data-try-it="no"' in page
    assert '<a href="https://sandbox.example/&quot;&gt;&lt;script&gt;/docs">' in page
