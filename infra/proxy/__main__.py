"""Write the configuration of the proxy to standard output: `python -m infra.proxy > nginx.conf`."""

from __future__ import annotations

import os
import sys

from credit.errors import CreditError
from credit.settings import read
from infra.proxy.settings import PREFIX, ProxySettings


def main() -> int:
    """Print the configuration; the exit code is that of the error tree when the settings are invalid."""
    try:
        settings = read(ProxySettings, os.environ, PREFIX)
    except CreditError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    settings.folder.mkdir(parents=True, exist_ok=True)
    print(settings.configuration())
    return 0


if __name__ == "__main__":
    sys.exit(main())
