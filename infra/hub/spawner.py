"""The spawner: a workspace is a sandbox of this machine, for one member of one project, until the project's day."""

from __future__ import annotations

import asyncio
import html
import os
import shutil
from datetime import UTC, datetime
from functools import lru_cache
from logging import getLogger
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from jupyterhub.spawner import Spawner, SpawnException
from traitlets import Any as AnyTrait
from traitlets import default

from credit.actor import Role
from credit.errors import CreditError, Refused
from credit.ledger.follower import CachedLedger
from credit.messages import Text, preferred
from credit.releases import newest_practice
from infra.hub.gate import HubGate
from infra.hub.ids import ids_of
from infra.hub.settings import HubSettings
from infra.hub.workspace_files import copy_notebooks, own_copies, practice_files, rows_folder
from infra.sandbox.monitor.gateway_recorder import GatewayRecorder
from infra.sandbox.monitor.workspace_monitor import available
from infra.sandbox.plan import Plan
from infra.sandbox.workspace_supervisor import WorkspaceSupervisor
from lab.accounts.accounts import Accounts
from lab.projects import Project, Projects
from lab.settings import Workspace

GATE = "http+unix://%2Frun%2Fhub%2Fhub.sock"  # as the server's sandbox sees it


class SandboxSpawner(Spawner):  # type: ignore[misc]
    """Starts, watches and ends one workspace. It fails closed: what cannot be isolated is not started."""

    lab: HubSettings = AnyTrait(help="The hub's settings").tag(config=True)
    supervisor: WorkspaceSupervisor | None = None
    gate: HubGate | None = None
    workspace: Workspace | None = None

    @default("options_form")  # type: ignore[untyped-decorator]
    def _form(self) -> Any:
        return SandboxSpawner.choice

    @property
    def language(self) -> str:
        """The language that the browser which asked for the start prefers (Accept-Language), else English."""
        headers = getattr(getattr(self.handler, "request", None), "headers", {})
        return preferred(str(headers.get("Accept-Language", "")))

    def projects(self) -> list[Project]:
        """The projects of this user that have not ended."""
        return projects_of(self.lab).of(self.user.name, self.lab.day())

    async def choice(self) -> str:
        """The form to choose a project: empty with one project, a sentence with none."""
        projects = await asyncio.to_thread(self.projects)
        if len(projects) == 1:
            return ""
        language = self.language
        if not projects:
            return f"<p>{Text.of('spawner.no-project').render(language)}</p>"
        rows = ""
        for each in projects:
            until = Text.of("spawner.until", day=each.ends_on).render(language)
            words = html.escape(f"{each.title} ({each.name}, {until})")
            rows += f'<option value="{html.escape(each.name)}">{words}</option>'
        label = Text.of("spawner.project").render(language)
        return f'<label for="project">{label}</label> <select name="project" id="project" autofocus>{rows}</select>'

    def options_from_form(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """The project that was chosen."""
        return {"project": (form.get("project") or [""])[0]}

    async def start(self) -> str:
        """Start the workspace; its address. The page that waits shows why a start is refused."""
        try:
            return await self._start()
        except CreditError as error:
            await self._end()
            raise SpawnException(
                error.in_language(self.language), reason=error.what, status_code=error.status
            ) from None

    async def _start(self) -> str:
        project = await asyncio.to_thread(self._project)
        self.workspace = Workspace(self.user.name, project.name)
        plan = await asyncio.to_thread(self._plan, self.workspace, project)
        await self._control("POST", "/workspaces", self._announced(plan))
        self.gate = HubGate(plan.run / "gate", self.lab.socket, self.user.name, plan.server, plan.mode)
        await asyncio.to_thread(copy_notebooks, plan.home, plan.kernel, plan.mode)
        self.supervisor = WorkspaceSupervisor(
            plan,
            allowed=lambda: self._allowed(project.name),
            recorder=GatewayRecorder(self.lab.run / "gateway.sock", plan.name, plan.practice)
            if is_monitored()
            else None,
        )
        await self.supervisor.open(self.get_env() | self._hub_environment(), before=self.gate.open)
        return f"http+unix://{quote(str(self.supervisor.front), safe='')}"

    async def poll(self) -> int | None:
        """None while it runs. A restarted hub has no supervisor, and its workspaces ended with the former one."""
        if self.supervisor and self.supervisor.is_running:
            return None
        if self.supervisor:
            self.log.warning("the workspace of %s ended: %s", self.user.name, self.supervisor.why or "by itself")
            await self._end()
        return 0

    async def stop(self, now: bool = False) -> None:
        """End the workspace and close every socket that was for it."""
        await self._end()

    async def _end(self) -> None:
        supervisor, self.supervisor = self.supervisor, None
        gate, self.gate = self.gate, None
        if supervisor:
            await supervisor.close()
        if gate:
            await gate.close()
        if self.workspace:
            await asyncio.to_thread(shutil.rmtree, self._copies, ignore_errors=True)
            try:
                await self._control("DELETE", f"/workspaces/{self.workspace.name}")
            except CreditError as error:
                self.log.warning("the gateway did not close %s: %s", self.workspace.name, error.why)
            self.workspace = None

    def _project(self) -> Project:
        account = accounts_of(self.lab).all().get(self.user.name)
        if account is None or Role.RESEARCHER not in account.roles:
            raise Refused("spawner.account-no-workspace")
        projects = {each.name: each for each in self.projects()}
        chosen = str(self.user_options.get("project", "")) or (next(iter(projects)) if len(projects) == 1 else "")
        if chosen not in projects:
            raise Refused(
                Text.of("spawner.no-project-chosen")
                if not chosen
                else Text.of("spawner.not-in-project", project=chosen[:30]),
                why=Text.of("spawner.your-projects", projects=", ".join(projects) or "none"),
                remedy=Text.of("spawner.choose"),
            )
        return projects[chosen]

    @property
    def _copies(self) -> Path:
        """The folder of this workspace's own copies of practice tables."""
        assert self.workspace is not None
        return Path(self.lab.home) / "lab" / "data" / self.workspace.name

    def _allowed(self, name: str) -> bool:
        try:
            projects_of(self.lab).get(name).require(self.user.name, self.lab.day())
        except CreditError:
            return False
        return self.user.name in accounts_of(self.lab).all()

    def _plan(self, workspace: Workspace, project: Project) -> Plan:
        lab = self.lab
        server, kernel = ids_of(lab.home / "lab" / "ids.json", workspace.name)
        practice = newest_practice(lab.place.shelf, lab.day())
        left = (
            datetime.combine(project.ends_on, datetime.min.time()) - datetime.combine(lab.day(), _now())
        ).total_seconds()
        return Plan(
            name=workspace.name,
            mode=lab.how,
            server=server,
            kernel=kernel,
            home=lab.home / "lab" / "homes" / project.name / workspace.user,
            run=lab.run / "ws" / workspace.name,
            data=own_copies(practice_files(practice, project.tables), self._copies)
            | rows_folder(lab.home / "lab" / "rows" / project.name),
            seconds=min(float(lab.workspace_seconds), max(1.0, left)),
            limits=lab.limits,
            kernels=lab.kernels,
            practice=practice.seal.id if practice else "",
            language=self.language,
        )

    def _announced(self, plan: Plan) -> dict[str, Any]:
        assert self.workspace is not None
        data: dict[str, Any] = {"user": self.workspace.user, "project": self.workspace.project}
        if plan.mode == "root":
            data |= {"kernel_uid": plan.kernel.uid, "server_uid": plan.server.uid, "gid": plan.server.gid}
        return data

    def _hub_environment(self) -> dict[str, str]:
        """Where the server's sandbox finds the hub: a socket that passes four calls."""
        api = f"{GATE}/hub/api"
        return {
            "JUPYTERHUB_API_URL": api,
            "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/{quote(self.user.name)}/activity",
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:8888{self.server.base_url}",
        }

    async def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """Send a request to the gateway over its control socket; raises :class:`Refused` when it fails."""
        try:
            connector = aiohttp.UnixConnector(str(self.lab.run / "gateway.sock"))
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.request(method, f"http://gateway{path}", json=body) as answer,
            ):
                if answer.status >= 300 and not (method == "DELETE" and answer.status == 404):
                    raise Refused("spawner.gateway-refused-workspace", why=Text.verbatim((await answer.text())[:300]))
        except aiohttp.ClientError as error:
            raise Refused("spawner.gateway-does-not-answer", why=Text.verbatim(type(error).__name__)) from error


@lru_cache(maxsize=1)
def projects_of(lab: HubSettings) -> Projects:
    """The projects of this lab. Read entries are cached, as every workspace checks its project every second."""
    return Projects(CachedLedger.of(lab.place.ledger("research"), "project"))


@lru_cache(maxsize=1)
def accounts_of(lab: HubSettings) -> Accounts:
    """The accounts of this lab, for the same reason."""
    return Accounts.cached(lab.place.ledger("desk"))


@lru_cache(maxsize=1)
def is_monitored() -> bool:
    """Whether the machine permits a monitor of what kernels read; where it does not, the log says so once."""
    monitored = os.getuid() == 0 and available()
    if not monitored:
        getLogger("jupyterhub").warning("what kernels read is reported by kernels alone: this machine has no monitor")
    return monitored


def _now() -> Any:
    return datetime.now(UTC).astimezone().time()
