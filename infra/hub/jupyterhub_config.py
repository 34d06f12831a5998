"""What ``jupyterhub -f`` reads."""

from __future__ import annotations

import os

from credit.settings import read
from infra.hub.config import configure
from infra.hub.settings import HubSettings
from infra.sandbox import preflight

settings = read(HubSettings, os.environ, "HAIHE_HUB_")
if settings.spawner == "sandbox":
    preflight.require(settings.how)  # it fails closed: no sandbox, no hub
configure(get_config(), settings)  # type: ignore[name-defined]  # noqa: F821
