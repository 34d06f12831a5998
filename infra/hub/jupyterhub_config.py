"""The configuration file that ``jupyterhub -f`` reads."""

from __future__ import annotations

import os

from credit.settings import read
from infra.hub import preflight
from infra.hub.config import configure, make_socket_folder
from infra.hub.settings import HubSettings

settings = read(HubSettings, os.environ, "HAIHE_HUB_")
if settings.spawner == "sandbox":
    preflight.require(settings.how)  # without a sandbox the hub does not start
make_socket_folder(settings)
configure(get_config(), settings)  # type: ignore[name-defined]  # noqa: F821
