"""``python -m lab.workspace``: run the sealed server in its sandbox."""

from lab.workspace.server import main

main()
