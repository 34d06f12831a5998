"""A kernel reaches only its home, its granted data and its gateway; tested through the real proxy."""

from __future__ import annotations

import json

import psutil
import pytest

from tests.lab.workspace import attacks
from tests.lab.workspace.attacks import ATTACKS, cell
from tests.lab.workspace.conftest import Lab
from tests.lab.workspace.workspace_client import Kernel, WorkspaceClient

pytestmark = [pytest.mark.servers, pytest.mark.attack]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_fails(kernel: Kernel, name: str) -> None:
    output = kernel.run(cell(name))
    assert "REACHED" not in output, output
    assert not output.startswith("!"), output


def test_no_port_of_the_machine_answers(kernel: Kernel, mlflow_server: str, lab: Lab) -> None:
    """MLflow, Ray, the proxy and every other listener: a workspace has an empty network of its own."""
    ports = sorted({c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN})
    wanted = {int(mlflow_server.rsplit(":", 1)[1]), int(lab.url.rsplit(":", 1)[1])}
    assert wanted <= set(ports)
    output = kernel.run(
        f"import socket\nfor port in {ports}:\n    s = socket.socket(); s.settimeout(2)\n"
        "    if s.connect_ex(('127.0.0.1', port)) == 0: print('REACHED', port)\nprint('tried')"
    )
    assert output.strip() == "tried", output


def test_the_gateway_identifies_a_kernel_whatever_it_sends(kernel: Kernel) -> None:
    lines = kernel.run(attacks.FORGED_GATEWAY).splitlines()
    for line in lines[:3]:
        data = json.loads(line)
        assert (data["user"], data["project"]) == ("alice", "thinfiles")
    assert json.loads(lines[3])["status"] in (404, 405), "the log of cells is not a kernel's to write"


def test_a_link_in_the_home_leads_the_server_nowhere(kernel: Kernel, alice: WorkspaceClient) -> None:
    kernel.run(attacks.LINKS)
    for name in ("a.txt", "b.txt", "c", "c/etc/passwd", "d.ipynb", "c/run/hub"):
        answer = alice.call("GET", f"/api/contents/{name}", params={"content": "1"})
        assert answer.status_code in (403, 404), (name, answer.status_code, answer.text[:200])
    written = alice.call("PUT", "/api/contents/c/tmp/y.txt", json={"type": "file", "format": "text", "content": "x"})
    assert written.status_code in (403, 404)
    answer = alice.call("GET", "/api/contents")
    assert answer.status_code == 200, answer.text
    listed = answer.json()["content"]
    assert not {"c", "a.txt"} & {each["name"] for each in listed if each["type"] == "directory"}


def test_settings_lie_where_no_kernel_reaches_and_no_link_of_a_home_leads_there(
    kernel: Kernel, alice: WorkspaceClient
) -> None:
    kernel.run("import os; os.path.lexists('.lab') or os.symlink('/proc/self', '.lab')")
    plugin = "/lab/api/settings/@jupyterlab/docmanager-extension:plugin"
    written = alice.call("PUT", plugin, json={"raw": '{"autosaveInterval": 41}'})
    assert written.status_code == 204, written.text
    assert "41" in alice.call("GET", plugin).json()["raw"]
    assert kernel.run("print(os.path.exists('/srv/lab'), os.readlink('.lab'))").strip() == "False /proc/self"
    locked = "/lab/api/settings/@jupyterlab/apputils-extension:sanitizer"
    assert alice.call("PUT", plugin, json={"raw": '{"defaultViewers": {"markdown": "x"}}'}).status_code == 403
    for spelled in (locked, locked.replace("@", "%40"), locked.replace("sanitizer", "s%61nitizer")):
        assert alice.call("PUT", spelled, json={"raw": "{}"}).status_code == 403


def test_no_process_of_a_workspace_shows_the_servers_token(lab: Lab, alice: WorkspaceClient, kernel: Kernel) -> None:
    """Neither its environment nor its command line has it; and what the server writes is not in the home."""
    sandboxes = [each for each in psutil.process_iter(["cmdline"]) if _is_of(lab, each.info["cmdline"] or [])]
    shown_by = {child for each in sandboxes for child in (each, *each.children(recursive=True))}
    assert any("lab.workspace" in each.cmdline() for each in shown_by)
    for each in shown_by:
        shown = " ".join(each.cmdline()) + str(each.environ())
        assert "TOKEN" not in shown, "not even the name of it"
    alice.call("PUT", "/api/contents/saved.txt", json={"type": "file", "format": "text", "content": "one"})
    assert alice.call("POST", "/api/contents/saved.txt/checkpoints").status_code == 201
    assert len(alice.call("GET", "/api/contents/saved.txt/checkpoints").json()) == 1
    assert "checkpoint" not in kernel.run("import os; print([d for d in os.walk('/home/lab')])")
    restore = "/api/contents/saved.txt/checkpoints/checkpoint"
    assert kernel.run("import os; os.unlink('saved.txt'); os.symlink('/etc/passwd', 'saved.txt')") == ""
    assert alice.call("POST", restore).status_code == 403, "a link is in its place"
    assert kernel.run("import os; os.unlink('saved.txt'); print(open('saved.txt', 'w').write('two'))").strip() == "3"
    assert alice.call("POST", restore).status_code == 204
    assert kernel.run("print(open('saved.txt').read())").strip() == "one"


def test_a_kernel_that_swaps_its_sockets_for_links_gains_nothing(alice: WorkspaceClient) -> None:
    """The server connects to the sockets in a kernel's folder; a link there leads to no socket of the lab."""
    kernel = alice.kernel()
    kernel.run(attacks.SWAPPED_SOCKETS)
    try:
        with pytest.raises((TimeoutError, AssertionError, ConnectionError, OSError)):
            kernel.run("print('REACHED')", timeout=5)
    finally:
        kernel.shut()
    assert alice.call("GET", "/api/status").status_code == 200, "the server is as it was"


def test_a_fork_bomb_ends_in_its_own_sandbox(alice: WorkspaceClient, kernel: Kernel) -> None:
    bomb = alice.kernel()
    output = bomb.run(attacks.FORK_BOMB, timeout=30)
    assert output.startswith("stopped"), output
    assert int(output.split()[1]) <= 80, output
    assert alice.call("GET", "/api/status").status_code == 200
    bomb.shut()


def test_a_memory_bomb_ends_in_its_own_sandbox(alice: WorkspaceClient) -> None:
    bomb = alice.kernel()
    assert "MemoryError" in bomb.run("held = bytearray(2 << 30)"), "one process alone is bounded by the kernel"
    output = bomb.run(attacks.MEMORY_BOMB, timeout=60)
    assert "REACHED" not in output, output
    assert "dead" in output, output
    assert alice.call("GET", "/api/status").status_code == 200
    bomb.shut()


def test_a_full_home_ends_kernels_until_it_is_emptied(lab: Lab) -> None:
    bobby = lab.client_of("bobby")
    filler = bobby.kernel()
    output = filler.run(attacks.FULL_HOME, timeout=40)
    assert "REACHED" not in output, output
    refused = bobby.call("POST", "/api/kernels", json={"name": "python3"})
    assert refused.status_code >= 400
    assert "the home has more than" in refused.text
    for number in range(40):
        bobby.call("DELETE", f"/api/contents/f{number}")


def test_tmp_and_shared_memory_are_bounded(kernel: Kernel) -> None:
    output = kernel.run(attacks.FULL_TMP)
    assert "REACHED" not in output, output
    assert output.count("held") == 2, output


def test_another_users_server_stays_shut(lab: Lab, alice: WorkspaceClient) -> None:
    bobby = lab.client_of("bobby")
    for path in ("/user/alice/lab", "/user/alice/api/contents", "/user/alice/api/kernels"):
        answer = bobby.client.get(path)
        assert answer.status_code in (403, 404) or "/user/alice" not in str(answer.url), (path, answer.status_code)
    assert bobby.client.get("/hub/api/users/alice", headers={"Referer": lab.url}).status_code in (403, 404)
    stolen = WorkspaceClient(lab.url, "alice")
    stolen.client.cookies = bobby.client.cookies
    with pytest.raises(Exception):  # noqa: B017 - the handshake is refused, by whichever exception the client has for it
        Kernel(stolen, "00000000-0000-0000-0000-000000000000").run("1", timeout=5)


def _is_of(lab: Lab, words: list[str]) -> bool:
    """True for the command of a sandbox of this lab: others may run on the machine."""
    return words[:1] == ["bwrap"] and any(str(lab.home.root) in word for word in words)
