"""What ``jupyterhub -f`` reads."""

from __future__ import annotations

import os

from credit.settings import read
from infra.hub.config import configure
from infra.hub.settings import HubSettings

configure(get_config(), read(HubSettings, os.environ, "HAIHE_HUB_"))  # type: ignore[name-defined]  # noqa: F821
