"""The login page and the workspace are in the language that the browser prefers (Accept-Language)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tornado.httputil import HTTPHeaders

from credit.messages import of_environment
from infra.hub.spawner import SandboxSpawner
from infra.sandbox.plan import base_environment, locale_environment
from lab.workspace.server import settings_folder
from tests.infra.hub.page_words import chinese_in, english_in, words_of
from tests.infra.hub.sign_in_hub import SignInHub


@pytest.mark.servers
@pytest.mark.parametrize(
    ("accepted", "words", "wrong"),
    [("zh-CN,zh;q=0.9", ("登录", "用户名", "密码", "数据不出域"), "用户名或密码错误"),
     ("en", ("Sign in", "Username", "Password", "Data stay here"), "Invalid username or password")],
)  # fmt: skip
def test_the_login_page_is_in_the_language_of_the_browser(
    hub: SignInHub, accepted: str, words: tuple[str, ...], wrong: str
) -> None:
    with httpx.Client(base_url=hub.url, headers={"Accept-Language": accepted}) as browser:
        page = browser.get("/hub/login")
        assert page.status_code == 200
        assert all(word in page.text for word in words), page.text
        form = {"username": "nobody", "password": "x", "_xsrf": browser.cookies["_xsrf"]}
        answer = browser.post("/hub/login", data=form, headers={"Referer": f"{hub.url}/hub/login"})
        assert answer.status_code == 403
        assert wrong in answer.text
        others = ("Sign in", "Username", "Password:") if accepted.startswith("zh") else ("登录", "用户名")
        assert not any(word in page.text for word in others)


@pytest.mark.servers
def test_every_page_of_the_hub_is_in_one_language(hub: SignInHub) -> None:
    """Also the ones that JupyterHub has in English alone, errors, and the pages of someone who is not signed in."""
    person = hub.person("pagereader", "auditor")
    person.sign_in()
    paths = (
        "/hub/home",
        "/hub/factors",
        "/hub/no-such-page",
        "/hub/admin",
        "/hub/spawn-pending/nobody",
        "/hub/logout",
        "/hub/login",
        "/hub/enrol",
    )
    seen = set()
    for path in paths:  # the one before the last signs out
        for language, others in (("zh-CN,zh;q=0.9", english_in), ("en", chinese_in)):
            page = person.browser.get(path, headers={"Accept-Language": language})
            assert others(page.text) == [], (path, language, page.status_code)
            assert len(words_of(page.text)) > 2, (path, language)
            seen.add(page.status_code)
    assert {200, 403, 404} <= seen


def test_a_workspace_speaks_the_language_of_the_browser_that_starts_it() -> None:
    for accepted, language in (("zh-CN,en;q=0.5", "zh"), ("en", "en"), ("", "en")):
        spawner = SandboxSpawner()
        spawner.handler = type("Handler", (), {})()
        spawner.handler.request = type("Request", (), {"headers": HTTPHeaders({"Accept-Language": accepted})})()
        assert spawner.language == language
        assert of_environment(base_environment(spawner.language)) == language
        assert of_environment({"LC_ALL": "en_GB.UTF-8"} | locale_environment(language)) == language
    assert SandboxSpawner().language == "en"  # a start that no browser asked for


def test_programs_of_a_workspace_write_utf8_in_every_language() -> None:
    code = "import sys; sys.stdout.write('会')"
    for language in ("en", "zh"):
        environment = base_environment(language) | {"PATH": os.environ["PATH"]}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        assert done.stdout.decode() == "会"


def test_jupyterlab_is_chinese_by_default_where_the_browser_is(tmp_path: Path) -> None:
    from jupyterlab_server.settings_utils import _get_overrides

    english, chinese = settings_folder("en"), settings_folder("zh", tmp_path / "labconfig")
    before, after = _get_overrides(str(english))[0], _get_overrides(str(chinese))[0]
    assert after == before | {"@jupyterlab/translation-extension:plugin": {"locale": "zh_CN"}}
    page = "page_config.json"
    assert json.loads((chinese / page).read_text()) == json.loads((english / page).read_text())


def test_the_language_pack_of_jupyterlab_is_installed() -> None:
    from jupyterlab_server.translation_utils import get_language_packs

    packs, message = get_language_packs()
    assert message == ""
    assert "zh_CN" in packs
