"""An HTTP client of a workspace: log in, start the workspace and run cells through the real proxy."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
from websockets.sync.client import ClientConnection, connect

from infra.home import Home
from infra.hub.authenticator import credential_store
from infra.hub.credentials.totp import code_at
from lab.accounts.accounts import Accounts


def second_factor(home: Home, user: str) -> str:
    """The code of this moment for a user, whose secret ``home`` knows."""
    account = Accounts(home.ledger("desk")).get(user)
    return code_at(credential_store(home.root).totp_secret(account), time.time())


@dataclass
class WorkspaceClient:
    """One user's session with the hub at ``url``."""

    url: str
    user: str
    client: httpx.Client = field(init=False)
    made: ClassVar[list[WorkspaceClient]] = []

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, follow_redirects=True, timeout=90)
        self.made.append(self)

    @classmethod
    def close_all(cls) -> None:
        for each in cls.made:
            each.client.close()
        cls.made.clear()

    @property
    def base(self) -> str:
        return f"/user/{self.user}"

    def log_in(self, password: str, home: Home | None = None) -> httpx.Response:
        """Sign in, with the account's second factor where it has one, whose secret ``home`` knows."""
        answer = self._post_form(self.client.get("/hub/login"), username=self.user, password=password)
        if home is None or "second-factor" not in str(answer.url):
            return answer
        return self._post_form(answer, code=second_factor(home, self.user))

    def _post_form(self, page: httpx.Response, **fields: str) -> httpx.Response:
        match = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert match, page.text[:500]
        headers = {"Referer": str(page.url)}
        return self.client.post(str(page.url), data=fields | {"_xsrf": match[1]}, headers=headers)

    def start(self, project: str = "", seconds: float = 90) -> httpx.Response:
        """Start the workspace and wait for its page; returns the last response, also when it is an error."""
        answer = self.client.get("/hub/spawn")
        if project and "project" in answer.text and "<form" in answer.text and "/spawn" in str(answer.url):
            match = re.search(r'name="_xsrf" value="([^"]+)"', answer.text)
            data = {"project": project} | ({"_xsrf": match[1]} if match else {})
            self.client.post(str(answer.url), data=data, headers={"Referer": str(answer.url)})
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            answer = self.client.get(f"{self.base}/lab")
            if answer.status_code >= 400 or "jupyter-config-data" in answer.text:
                return answer
            time.sleep(0.2)
        return answer

    def stop(self) -> None:
        token = self.xsrf("/hub/")
        self.client.delete(f"/hub/api/users/{self.user}/server", headers={"X-XSRFToken": token, **self._referer()})
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            user = self.client.get(f"/hub/api/users/{self.user}", headers=self._referer()).json()
            if not user.get("servers"):
                return
            time.sleep(0.2)

    def xsrf(self, path: str) -> str:
        return next((c.value or "" for c in self.client.cookies.jar if c.name == "_xsrf" and c.path == path), "")

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to the workspace's server, in the form of its pages."""
        headers = {"X-XSRFToken": self.xsrf(f"{self.base}/"), **self._referer(), **more.pop("headers", {})}
        return self.client.request(method, f"{self.base}{path}", headers=headers, **more)

    def kernel(self) -> Kernel:
        """Start a kernel."""
        answer = self.call("POST", "/api/kernels", json={"name": "python3"})
        assert answer.status_code == 201, answer.text
        return Kernel(self, answer.json()["id"])

    def kernels(self) -> set[str]:
        """The ids of the kernels that run; none where the workspace does not."""
        answer = self.call("GET", "/api/kernels")
        return {each["id"] for each in answer.json()} if answer.status_code == 200 else set()

    def cookies(self, path: str) -> str:
        jar = [cookie for cookie in self.client.cookies.jar if path.startswith(cookie.path)]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    def _referer(self) -> dict[str, str]:
        return {"Referer": f"{self.url}{self.base}/lab"}


@dataclass(frozen=True)
class Kernel:
    """A kernel, driven over its websocket as JupyterLab does."""

    session: WorkspaceClient
    id: str

    def run(self, code: str, timeout: float = 60, kind: str = "execute_request", channel: str = "shell") -> str:
        """Run a cell and return its text output, with errors as ``!Name: value``."""
        with self.connected() as socket:
            return _gather(socket, self.send(socket, code, kind, channel), timeout)

    def connected(self) -> ClientConnection:
        """A new connection, as a page that opens a notebook of this kernel makes it."""
        path = f"{self.session.base}/api/kernels/{self.id}/channels"
        url = self.session.url.replace("http", "ws", 1) + path
        headers = {"Cookie": self.session.cookies(path), "Origin": self.session.url}
        return connect(url, additional_headers=headers, max_size=None)

    def send(self, socket: ClientConnection, code: str, kind: str = "execute_request", channel: str = "shell") -> str:
        """Send a cell without waiting for its end; the id of the message."""
        name = uuid.uuid4().hex
        header = {"msg_id": name, "msg_type": kind, "username": "", "session": name, "date": "", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        message = {"channel": channel, "header": header, "parent_header": {}, "metadata": {}}
        socket.send(json.dumps(message | {"content": content | {"allow_stdin": False}}))
        return name

    def run_all(self, cells: list[str], timeout: float = 60) -> list[str]:
        """Send cells at once, as a notebook that runs all of them does; the output of each, ``!aborted`` if not run."""
        with self.connected() as socket:
            outputs: dict[str, list[str]] = {self.send(socket, code): [] for code in cells}
            ended: set[str] = set()
            limit = time.monotonic() + timeout
            while len(ended) < len(cells):
                message = json.loads(socket.recv(timeout=max(0.1, limit - time.monotonic())))
                name, content = str(message["parent_header"].get("msg_id")), message["content"]
                if name not in outputs:
                    continue
                if message["msg_type"] == "stream":
                    outputs[name].append(content["text"])
                elif message["msg_type"] == "error":
                    outputs[name].append(f"!{content['ename']}: {content['evalue']}")
                elif message["msg_type"] == "execute_reply" and content["status"] == "aborted":
                    outputs[name].append("!aborted")
                elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                    ended.add(name)
        return ["".join(each) for each in outputs.values()]

    def shut(self) -> None:
        """End it; fails where it does not: one that is left over is one fewer for all tests that follow."""
        answer = self.session.call("DELETE", f"/api/kernels/{self.id}")
        assert answer.status_code in (204, 404), answer.text


def _gather(socket: Any, name: str, timeout: float) -> str:
    outputs: list[str] = []
    limit = time.monotonic() + timeout
    while time.monotonic() < limit:
        message = json.loads(socket.recv(timeout=max(0.1, limit - time.monotonic())))
        content, kind = message["content"], message["msg_type"]
        if kind == "status" and content["execution_state"] in ("dead", "restarting"):
            return "".join(outputs) + "!dead"
        if message["parent_header"].get("msg_id") != name:
            continue
        if kind == "stream":
            outputs.append(content["text"])
        elif kind in ("execute_result", "display_data"):
            outputs.append(content["data"].get("text/plain", ""))
        elif kind == "error":
            outputs.append(f"!{content['ename']}: {content['evalue']}")
        elif kind == "status" and content["execution_state"] == "idle":
            return "".join(outputs)
    raise TimeoutError(f"the cell did not end: {''.join(outputs)[:300]}")
