"""Runs the proxy as a process of this one: for the laptop, the tests and the bench; a server has its own nginx unit."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

from credit.errors import Broken, Missing
from credit.messages import Text
from infra.proxy.settings import ProxySettings

START_SECONDS = 20.0


@contextlib.contextmanager
def proxy(settings: ProxySettings) -> Iterator[str]:
    """Start nginx, give its address once it accepts connections, and stop it after. Raises Missing, Broken."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        raise Missing("proxy.no-nginx")
    settings = replace(settings, folder=settings.folder.resolve())  # nginx reads relative paths from its own folder
    settings.folder.mkdir(parents=True, exist_ok=True)
    configuration = settings.folder / "nginx.conf"
    user = "user root;\n" if os.getuid() == 0 else ""  # otherwise its workers could not read the folder
    configuration.write_text(user + settings.configuration())
    process = subprocess.Popen([nginx, "-e", str(settings.folder / "error.log"), "-c", str(configuration), "-g",
                                "daemon off;"])  # fmt: skip
    host, _, port = settings.listen.rpartition(":")
    try:
        end = time.monotonic() + START_SECONDS
        while not _accepts(host, int(port)):
            if process.poll() is not None or time.monotonic() > end:
                raise Broken("proxy.did-not-start", why=Text.verbatim(str(settings.folder / "error.log")))
            time.sleep(0.02)
        yield f"{'https' if settings.certificate else 'http'}://{settings.listen}"
    finally:
        process.terminate()
        process.wait(10)


def _accepts(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False
