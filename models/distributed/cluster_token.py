"""The token of a Ray cluster (集群令牌): a driver or machine that does not show it is rejected.

By default Ray keeps one token for all clusters in the home folder, readable by every process there. Here a local
cluster has a new token in its private folder, and a cluster given by address takes a token file that other users cannot
read. Ray's metrics ports and LightGBM's sockets check no token: the cluster's network must be closed as well.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from credit.errors import Missing, Refused
from credit.files import write_atomically
from credit.messages import Text

_NAMES = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_TOKEN")  # if set, the last would take precedence


def new_token(folder: Path) -> Path:
    """A new token of 256 bits in a file of mode 0600."""
    path = folder / "token"
    write_atomically(path, secrets.token_hex(32).encode(), mode=0o600)
    return path


def require_private_file(token: Path | None) -> Path:
    """The token file; raises :class:`Missing` when there is none, :class:`Refused` when other users can read it."""
    if token is None or not token.is_file():
        why = (
            Text.of("cluster-token.setting-missing")
            if token is None
            else Text.of("cluster-token.no-file", name=token.name)
        )
        raise Missing("cluster-token.cluster-token-not", why=why)
    if token.stat().st_mode & 0o007:
        why = Text.of("cluster-token.others-can-read", name=token.name)
        raise Refused("cluster-token.cluster-token-open-to-everybody", why=why)
    return token


@contextmanager
def token_in_environment(token: Path) -> Iterator[None]:
    """Within the block, this process and its children show this token to Ray and require it."""
    before = {name: os.environ.pop(name, None) for name in _NAMES}
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(token))
    try:
        _reload_ray_settings()
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _reload_ray_settings()


def _reload_ray_settings() -> None:
    """Make Ray read mode and token again: it reads them once per process, and its public API cannot reload them."""
    import ray._raylet

    raylet: Any = ray._raylet
    raylet.Config.initialize("")
    raylet.AuthenticationTokenLoader.instance().reset_cache()
