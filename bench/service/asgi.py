"""The service as a plain ASGI application, for servers that we do not start ourselves: `bench.service.asgi:make`, a
factory."""

from __future__ import annotations

import os
from typing import Any

from credit.settings import read
from serving.app.create import create_app
from serving.settings import PREFIX, ServiceSettings


def make() -> Any:
    """The application by the environment's settings, without our protocol and so without its fast way."""
    return create_app(read(ServiceSettings, os.environ, PREFIX))
