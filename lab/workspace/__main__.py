"""``python -m lab.workspace``: run the sealed server in its sandbox."""

from lab.workspace.environment import receive

receive()  # before the libraries are imported that read the environment

from lab.workspace.server import main  # noqa: E402

main()
