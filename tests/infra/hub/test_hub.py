"""The hub's configuration is a function of settings: sockets behind the proxy, slowed logins, a narrow gate."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import aiohttp
import pytest
from traitlets.config import Config

from credit.errors import Malformed
from credit.settings import read
from infra.hub.config import CONSOLE, configure
from infra.hub.gate import HubGate
from infra.hub.ids import FIRST, ids_of
from infra.hub.settings import HubSettings
from infra.hub.sign_in.throttle import FREE, LoginThrottle
from infra.run_folder import LONGEST, run_folder
from infra.sandbox.bubblewrap import Ids, Mode

SETTINGS = HubSettings(home=Path("/srv/lab"), run=Path("/run/haihe-x"), port=8123)


def configured(settings: HubSettings = SETTINGS) -> Config:
    c = Config()
    configure(c, settings)
    return c


def test_the_only_port_is_the_proxys(tmp_path: Path) -> None:
    c = configured()
    assert c.JupyterHub.bind_url == "http://127.0.0.1:8123"
    for url in (
        c.JupyterHub.hub_bind_url,
        c.JupyterHub.hub_connect_url,
        c.ConfigurableHTTPProxy.api_url,
        *c.LabProxy.named.values(),
    ):
        assert url.startswith("http+unix://%2Frun%2Fhaihe-x%2F")
    assert c.JupyterHub.oauth_require_pkce is True
    assert c.JupyterHub.hub_socket_mode == 0o600
    assert c.JupyterHub.cleanup_servers is True


def test_the_same_settings_give_the_same_configuration() -> None:
    assert configured() == configured()


def test_the_console_is_only_for_people_with_a_role() -> None:
    c = configured()
    console, command_line = c.JupyterHub.services
    assert console["environment"]["JUPYTERHUB_SERVICE_PREFIX"] == CONSOLE
    for service in (console, command_line):
        assert not {"admin", "oauth_client_allowed_scopes"} & set(service)
    assert "oauth_no_confirm" not in command_line
    for role in c.JupyterHub.load_roles:
        assert role["scopes"] == ["access:services!service=console", "access:services!service=haihe-cli"]
        assert role["groups"] == [role["name"]]


def test_a_missing_setting_names_itself() -> None:
    with pytest.raises(Malformed, match="HAIHE_HUB_HOME"):
        read(HubSettings, {"HAIHE_HUB_RUN": "/run/x"}, "HAIHE_HUB_")


def test_on_a_cluster_the_same_settings_give_a_pod_that_can_do_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest that KubeSpawner itself makes of our configuration, without a request to a cluster."""
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    import kubespawner

    c = configured(HubSettings(home=Path("/srv/lab"), run=Path("/run/haihe-x"), spawner="kubernetes", memory_mib=2048))
    assert c.JupyterHub.spawner_class == "kubespawner.KubeSpawner"

    async def manifest() -> Any:
        return await kubespawner.KubeSpawner(_mock=True, config=c).get_pod_manifest()

    pod = asyncio.run(manifest())
    (container,) = pod.spec.containers
    context = container.security_context
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["allowPrivilegeEscalation"] is False
    assert context["runAsNonRoot"] is True
    assert context["readOnlyRootFilesystem"] is True
    assert context["runAsUser"] > 0
    assert pod.spec.automount_service_account_token is False
    assert container.args[-1] == "lab.workspace" or container.command[-1] == "lab.workspace"
    mounts = {each.mount_path: each.read_only for each in container.volume_mounts}
    assert mounts["/data"] is mounts["/data/rows"] is True
    claims = {each["claimName"] for each in (one.persistent_volume_claim for one in pod.spec.volumes) if each}
    assert {name.partition("-")[0] for name in claims} == {"practice", "rows", "home"}, "no release is mounted"
    assert str(container.resources.limits["memory"]) == str(2048 << 20)


def test_guessing_gets_slower_and_is_forgotten_in_time() -> None:
    now = [0.0]
    brake = LoginThrottle(clock=lambda: now[0])
    waits = []
    for _ in range(FREE + 6):
        waits.append(brake.wait("name alice"))
        now[0] += waits[-1]
        brake.failed("name alice")
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE:] == sorted(waits[FREE:])
    assert waits[-1] > 10
    assert brake.wait("name bobby") == 0
    now[0] += 10_000
    assert brake.wait("name alice") == 0


def test_the_brake_holds_a_bounded_number_of_names() -> None:
    brake = LoginThrottle()
    for number in range(10_500):
        brake.failed(f"name {number}")
    assert len(brake.failures) <= 10_000


def test_a_used_uid_is_never_anothers(tmp_path: Path) -> None:
    file = tmp_path / "ids.json"
    seen: dict[int, str] = {}
    for name in ("alice--one", "bobby--one", "alice--two", "carol--one"):
        server, kernel = ids_of(file, name)
        assert (server, kernel) == ids_of(file, name)
        assert server.gid == kernel.gid
        for uid in (server.uid, kernel.uid):
            assert uid >= FIRST
            assert seen.setdefault(uid, name) == name
        assert server.uid != kernel.uid


def test_sockets_are_short_and_of_lower_case(tmp_path: Path) -> None:
    deep = tmp_path / ("Deep" * 30)
    folder = run_folder(deep)
    assert str(folder) == str(folder).lower()
    assert len(str(folder / "ws" / ("a" * 30 + "--" + "b" * 30) / "kernel" / "gateway.sock")) <= LONGEST
    assert folder.stat().st_uid == os.getuid()
    assert folder == run_folder(deep)
    folder.rmdir()


KUBECONFIG = """
current-context: here
contexts: [{name: here, context: {cluster: here, user: here, namespace: lab}}]
clusters: [{name: here, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: here, user: {}}]
"""


class _Hub(BaseHTTPRequestHandler):
    """Answers with the request that it received."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = f"{self.command} {self.path} {sorted(self.headers.keys())} {self.rfile.read(length)!r}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None: ...

    def address_string(self) -> str:
        return "unix"


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


def test_of_the_hub_a_workspace_reaches_four_calls(tmp_path: Path) -> None:
    server = _Server(str(tmp_path / "hub.sock.real"), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tmp_path / "gate"
    folder.mkdir()
    gate = HubGate(folder, tmp_path / "hub.sock.real", "alice", Ids(os.getuid(), os.getgid()), Mode.USER)

    async def call_all() -> dict[tuple[str, str], int]:
        await gate.open()
        statuses = {}
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(folder / "hub.sock"))) as session:
            for method, path in CALLS:
                async with session.request(
                    method, f"http://hub{path}", headers={"X-Forwarded-User": "petra", "Cookie": "a=b"}, data=b"x"
                ) as answer:
                    text = await answer.text()
                    statuses[method, path] = answer.status
                    assert "X-Forwarded-User" not in text
                    assert "Cookie" not in text
        await gate.close()
        return statuses

    statuses = asyncio.run(call_all())
    server.shutdown()
    server.server_close()
    passed = {call for call, status in statuses.items() if status == 200}
    assert passed == {
        ("GET", "/hub/api"), ("GET", "/hub/api/"), ("GET", "/hub/api/user"), ("POST", "/hub/api/oauth2/token"),
        ("POST", "/hub/api/users/alice/activity"),
    }  # fmt: skip
    assert oct((folder.stat().st_mode) & 0o777)
    assert not (folder / "hub.sock").exists() or _refuses(folder / "hub.sock")


CALLS = [
    ("GET", "/hub/api"), ("GET", "/hub/api/"), ("GET", "/hub/api/user"), ("POST", "/hub/api/oauth2/token"),
    ("POST", "/hub/api/users/alice/activity"), ("POST", "/hub/api/users/bobby/activity"), ("GET", "/hub/login"), ("POST", "/hub/login"),
    ("GET", "/hub/api/users"), ("GET", "/hub/api/users/alice"), ("POST", "/hub/api/users/alice/tokens"), ("GET", "/hub/api/proxy"),
    ("POST", "/hub/api/shutdown"), ("DELETE", "/hub/api/users/alice/server"), ("GET", "/hub/api/../login"), ("GET", "/hub/api/user/../users"),
    ("GET", "/hub/api/oauth2/authorize"), ("GET", "/"), ("GET", "/user/bobby/"), ("PUT", "/hub/api/user"), ("GET", "/hub/api/user%2f..%2fusers"),
]  # fmt: skip


def _refuses(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) != 0
