"""The kernel's program. Without ``-I`` files of the home would come before Python's modules, so it refuses to start."""

from __future__ import annotations

import sys

if not sys.flags.isolated:
    sys.exit("A kernel starts with `python -I -B -m lab.kernel -f <connection file>`")

# Imported after the check, so that the words above come before any error of a file that took a module's place.
from typing import Any

from ipykernel.kernelapp import IPKernelApp

import lab
from lab.kernel import completion, hidden_files, no_installs


class NotebookKernelApp(IPKernelApp):
    """An IPython kernel that is configured by this file alone."""

    def initialize(self, argv: Any = None) -> None:
        """Start with the installed modules alone, then make the notebook's folder importable, after all others."""
        super().initialize(argv)
        sys.path.append("")

    def init_path(self) -> None:
        """Leave the search path as it is until the kernel has started."""

    def load_config_file(self, suppress_errors: Any = None) -> None:
        """Read no configuration, wherever it may lie."""

    def _run_startup_files(self) -> None:
        """Run no start-up files: all code that runs in a kernel comes from a recorded cell."""

    def init_shell(self) -> None:
        """Add to the shell what ``import lab`` adds: ``lab`` is imported already, so that would find nothing to do."""
        super().init_shell()  # type: ignore[no-untyped-call]
        lab.load_ipython_extension(self.shell)
        hidden_files.install(self.shell)
        completion.install(self.shell)
        no_installs.install(self.shell)


if __name__ == "__main__":
    NotebookKernelApp.launch_instance()
