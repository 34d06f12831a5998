"""No route of the server lets a browser download a file: all routes are enumerated, and new ones are refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.workspace.route_allow_list import allowed
from tests.lab.workspace.workspace_client import WorkspaceClient

ROOT = Path(__file__).parents[3]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# What the server's table has today and a workspace needs. A route that is not here must be refused, whatever it is.
OPEN = {
    r"/$", r"/api$", r"/api/workspace-notices$", r"/api/status$", r"/api/me$", r"/logout$", r"/(favicon\.ico)$",
    r"/(?P<mode>lab|doc)(?P<workspace>/workspaces/[a-zA-Z0-9\-\_]+)?(?P<tree>/tree/.*)?$", r"/lab/extensions/(.*)$",
    r"/static/(.*)$", r"/static/lab/(.*)$", r"/api/contents(?P<path>(?:(?:/[^/]+)+|/?))$",
    r"/api/contents(?P<path>(?:(?:/[^/]+)+|/?))/checkpoints$",
    r"/api/contents(?P<path>(?:(?:/[^/]+)+|/?))/checkpoints/(?P<checkpoint_id>[\w-]+)$",
    r"/api/contents(?P<path>(?:(?:/[^/]+)+|/?))/trust$", r"/api/kernels$",
    r"/api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)$",
    r"/api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)/(?P<action>restart|interrupt)$",
    r"/api/kernels/(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)/channels$", r"/api/kernelspecs$",
    r"/api/kernelspecs/(?P<kernel_name>[\w\.\-%]+)$", r"/kernelspecs/(?P<kernel_name>[\w\.\-%]+)/(?P<path>.*)$",
    r"/api/sessions$", r"/api/sessions/(?P<session_id>\w+-\w+-\w+-\w+-\w+)$", r"/lab/api/settings/?$",
    r"/lab/api/settings/(?P<schema_name>.+)$", r"/lab/api/workspaces/?$", r"/lab/api/workspaces/(?P<space_name>.+)$",
    r"/lab/api/translations/?$", r"/lab/api/translations/(?P<locale>.*)$", r"/lab/api/themes/(.*)$",
    r"/lab/api/listings/(.*)$", r"/api/security/csp-report$", r"/api/events/subscribe$",
}  # fmt: skip
_TABLE = """
import json, sys
from lab.workspace.server import SealedServerApp, configuration
told = configuration()
for room, key in (("ServerApp", "root_dir"), ("MappingKernelManager", "root_dir"), ("LabApp", "user_settings_dir"), ("LabApp", "workspaces_dir")):
    told[room][key] = sys.argv[1]
told.ServerApp.allow_root = True
app = SealedServerApp(config=told, jpserver_extensions={"jupyterlab": True})
app.initialize(argv=[], find_extensions=False)
rules = [rule for host in app.web_app.default_router.rules for rule in getattr(host.target, "rules", [])]
rules += app.web_app.wildcard_router.rules
print("TABLE" + json.dumps(sorted({rule.matcher.regex.pattern for rule in rules if hasattr(rule.matcher, "regex")})))
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every route pattern of Jupyter Server and JupyterLab, configured as in a workspace."""
    folder, share = str(tmp_path_factory.mktemp("server")), str(ROOT / "lab" / "workspace" / "share")
    variables = {"JUPYTER_NO_CONFIG": "1", "JUPYTER_CONFIG_DIR": share, "JUPYTER_PATH": share, "HOME": folder}
    command = [sys.executable, "-c", _TABLE, folder]
    done = subprocess.run(
        command, env={**os.environ, **variables}, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TABLE")]
    assert lines, done.stderr
    routes: list[str] = json.loads(lines[0].removeprefix("TABLE"))
    assert len(routes) > 40, "the whole table was listed"
    return routes


def sample(pattern: str) -> str:
    """A path that a pattern of the table matches."""
    path = pattern.removesuffix("$")
    fill = {
        r"(?P<path>(?:(?:/[^/]+)+|/?))": "/first.ipynb", r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
        r"(?P<session_id>\w+-\w+-\w+-\w+-\w+)": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, r"(?P<checkpoint_id>[\w-]+)": "checkpoint",
        r"(?P<action>restart|interrupt)": "interrupt", r"(?P<kernel_name>[\w\.\-%]+)": "python3", r"(?P<path>.*)": "logo.svg",
        r"(?P<format>\w+)": "script", r"(?P<mode>lab|doc)": "lab",
        r"(?P<workspace>/workspaces/[a-zA-Z0-9\-\_]+)?": "", r"(?P<tree>/tree/.*)?": "", r"(?P<section_name>\w+)": "notebook",
        r"(?P<schema_name>.+)": "x", r"(?P<space_name>.+)": "x", r"(?P<locale>.*)": "en", r"(favicon\.ico)": "favicon.ico",
        r"(robots\.txt|favicon\.ico)": "robots.txt", r"(robots\.txt)": "robots.txt", "(.*)": "first.ipynb", ".*": "first.ipynb", "/?": "",
    }  # fmt: skip
    for piece, value in fill.items():
        path = path.replace(piece, value)
    return path


def test_what_is_not_known_to_be_needed_is_refused(table: list[str]) -> None:
    for pattern in table:
        path = sample(pattern)
        if pattern not in ("(.*)$", "/.*/$", "/lab/.*$"):  # what catches all else, so any path fits it
            assert re.fullmatch(pattern, path), f"the sample {path} does not fit {pattern}"
        if pattern not in OPEN:
            assert not any(allowed(method, path) for method in METHODS), (
                f"{path} is open, and nobody has said that it may be"
            )


@pytest.mark.parametrize(
    "path",
    [
        "/files/first.ipynb", "/files/a/b.csv", "/nbconvert/html/first.ipynb", "/nbconvert/script", "/view/first.ipynb", "/api/nbconvert",
        "/terminals/1", "/api/terminals", "/api/terminals/1", "/lab/api/extensions", "/lab/api/build", "/api/shutdown", "/metrics",
        "/api/config/notebook", "/doc/tree/first.ipynb", "/tree", "/edit/x", "/proxy/8888", "/api/contents/../../etc/passwd",
        "/static/../../x", "/api/events", "/api/spec.yaml", "/login", "/files", "/notebooks/x",
    ],
)  # fmt: skip
def test_a_known_way_out_is_shut(path: str) -> None:
    assert not any(allowed(method, path) for method in METHODS)


@pytest.mark.servers
@pytest.mark.attack
def test_every_route_behaves_as_in_the_table_through_the_real_proxy(table: list[str], alice: WorkspaceClient) -> None:
    for pattern in table:
        path = sample(pattern)
        if pattern in OPEN or pattern in ("(.*)$", "/.*/$", "/lab/.*$"):
            continue
        for method in METHODS:
            answer = alice.call(method, path, follow_redirects=False)
            assert answer.status_code == 403, (method, path, answer.status_code)
            assert "Content-Disposition" not in answer.headers


@pytest.mark.servers
@pytest.mark.attack
def test_a_file_is_not_given_by_any_spelling(alice: WorkspaceClient) -> None:
    kernel = alice.kernel()
    kernel.run(
        "open('rows.parquet', 'wb').write(b'PAR1' + bytes(range(256)))\nopen('rows.zip', 'wb').write(b'PK\\3\\4' + b'\\0' * 64)\n"
        "open('big.csv', 'w').write('a,b\\n' * 400_000)\nopen('small.txt', 'w').write('a word')"
    )
    for name in ("rows.parquet", "rows.zip", "big.csv"):
        for form in ("", "text", "base64"):
            for kind in ("", "file", "notebook"):
                options = {key: value for key, value in (("format", form), ("type", kind)) if value}
                answer = alice.call("GET", f"/api/contents/{name}", params={"content": "1", **options})
                assert answer.status_code in (400, 403), (name, options, answer.status_code)
    assert alice.call("GET", "/api/contents/small.txt").json()["content"] == "a word", "what a person reads is shown"
    for path in ("/api/contents/small.txt?download=1", "/api/contents/small.txt?content=1&download", "//files/small.txt", "/files%2Fsmall.txt",
                 "/%66iles/small.txt", "/lab/../files/small.txt", "/api/contents/..%2f..%2fetc%2fpasswd"):  # fmt: skip
        answer = alice.call("GET", path, follow_redirects=False)
        assert answer.status_code in (302, 400, 403, 404), (path, answer.status_code)
        assert "a word" not in answer.text
    kernel.shut()
