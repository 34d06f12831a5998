"""The service units start each zone as its own user, with its own settings, and it writes to its own places alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from credit.requests.state_reader import ZONES
from credit.settings import read
from infra.home import Home
from infra.hub.settings import HubSettings
from lab.settings import ResearchSettings

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "infra" / "units"
PLACE = Home(Path("/var/lib/haihe"))
HARDENED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes",
    "PrivateTmp": "yes", "RestrictNamespaces": "yes", "UMask": "0027", "SystemCallFilter": "@system-service",
}  # fmt: skip
OF_ZONE = {**{zone: zone for zone in ZONES}, "scoring": "service", "mlflow": "compute"}
OF_ROOT = ("gateway", "hub")  # they give each workspace a user of its own


def settings(name: str) -> dict[str, list[str]]:
    """The settings of a unit, each with its values in order."""
    read = defaultdict(list)
    for line in (UNITS / f"haihe-{name}.service").read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals:
            read[key].append(value)
    return read


OWN = {  # folders that a zone alone writes
    "custody": {"raw"},
    "service": {"service"},
    "desk": {"requests"},
    "compute": {"mlflow", "partitions", "tables"},
}


@pytest.mark.parametrize("name", OF_ZONE)
def test_a_unit_is_of_one_zone(name: str) -> None:
    """User, hardening and reach: it writes to no other zone's folders, and cannot even see their keys."""
    unit, zone = settings(name), OF_ZONE[name]
    assert (unit["User"], unit["Group"]) == ([f"haihe-{zone}"], ["haihe"])
    for key, value in HARDENED.items():
        assert unit[key] == [value], key
    (writes,), (closed,) = unit["ReadWritePaths"], unit["InaccessiblePaths"]
    own = OWN.get(zone, set())
    allowed = {"ledgers", "shelf", f"runs/{zone}"} | own
    assert {path.removeprefix("/var/lib/haihe/") for path in writes.split()} <= allowed
    others = {f"-/var/lib/haihe/keys/{other}" for other in ZONES if other != zone}
    assert others <= set(closed.split())
    assert ("-/var/lib/haihe/raw" in closed.split()) == (zone != "custody")
    network = name in ("compute", "platform", "scoring", "mlflow")
    assert unit["PrivateNetwork"] == ([] if network else ["yes"])


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_s_unit_has_the_settings_of_its_home(zone: str) -> None:
    """What `haihe up` gives a zone the unit gives it too: a new setting cannot be forgotten here."""
    given = dict(line.partition("=")[::2] for line in settings(zone)["Environment"])
    assert PLACE.environment(zone).items() <= given.items()


def test_gateway_and_hub_have_the_settings_of_their_home() -> None:
    """They meet in one folder of sockets, and the gateway has the settings of the research zone."""
    gateway, hub = (dict(line.partition("=")[::2] for line in settings(name)["Environment"]) for name in OF_ROOT)
    assert gateway == PLACE.environment("research") | {"HAIHE_RESEARCH_RUN": "/run/haihe"}
    read(ResearchSettings, gateway, "HAIHE_RESEARCH_")
    settings_of_hub = read(HubSettings, hub, "HAIHE_HUB_")
    assert (settings_of_hub.place, settings_of_hub.run) == (PLACE, Path("/run/haihe"))


def test_every_user_of_a_unit_is_made(tmp_path: Path) -> None:
    """The users that the units name are those that systemd-sysusers makes."""
    text = (UNITS / "haihe.conf").read_text()
    assert set(re.findall(r"^u (haihe-\w+) ", text, re.M)) == {f"haihe-{zone}" for zone in ZONES}
    assert {path.name for path in UNITS.glob("*.service")} == {f"haihe-{name}.service" for name in (*OF_ZONE, *OF_ROOT)}


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not there")
def test_systemd_makes_the_users(tmp_path: Path) -> None:
    """It reads the file to the end: a line that it does not understand would leave a zone without a user."""
    command = ["systemd-sysusers", "--dry-run", "--root", str(tmp_path), str(UNITS / "haihe.conf")]
    done = subprocess.run(command, capture_output=True, text=True)
    made = set(re.findall(r"Creating user '([\w-]+)'", done.stdout + done.stderr))
    assert (done.returncode, made) == (0, {f"haihe-{zone}" for zone in ZONES})


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """Each unit as it would be installed, with the code of this folder."""
    for path in UNITS.glob("*.service"):
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/haihe", str(ROOT)))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("*.service"))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
