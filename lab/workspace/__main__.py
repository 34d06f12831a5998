"""``python -m lab.workspace``: the sealed server, in its sandbox."""

from lab.workspace.server import main

main()
