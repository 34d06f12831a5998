"""A home full of files that bear the names of modules; each writes its name into a record when any process runs it."""

from __future__ import annotations

from pathlib import Path

from infra.sandbox.places import PACKAGES

LAB_NAMES = (*PACKAGES, "serving", "infra", "bench")
STANDARD = (
    "random", "select", "secrets", "socket", "json", "asyncio", "logging", "signal", "threading", "uuid", "pathlib",
    "runpy", "types", "ast", "typing", "importlib", "contextlib", "sqlite3", "hashlib", "hmac", "queue", "platform",
    "warnings",
)  # fmt: skip
INSTALLED = (
    "ipykernel", "ipykernel_launcher", "IPython", "zmq", "tornado", "traitlets", "jupyter_client", "jupyter_core",
    "comm", "psutil", "debugpy", "matplotlib_inline", "dateutil", "jedi", "pygments", "prompt_toolkit", "stack_data",
    "packaging", "pandas", "duckdb", "sqlglot", "yaml", "cryptography",
)  # fmt: skip
NOT_INSTALLED = ("trio", "nest_asyncio", "decorator", "appnope", "ipywidgets", "ipyparallel")  # what libraries try
BY_THEMSELVES = ("sitecustomize", "usercustomize")
START_UP = (
    ".ipython/profile_default/startup/00-first.py",
    ".ipython/profile_default/startup/00-first.ipy",
    ".ipython/profile_default/ipython_config.py",
    ".ipython/profile_default/ipython_kernel_config.py",
    ".ipython/extensions/storemagic.py",
    ".jupyter/jupyter_config.py",
    ".local/lib/python3.11/site-packages/usercustomize.py",
    ".local/lib/python3.11/site-packages/random.py",
    ".local/share/jupyter/kernels/python3/kernel.json",
    ".pythonrc.py",
    "ipython_config.py",
    "ipython_kernel_config.py",
    "ipython_kernel_config.json",
    "jupyter_config.py",
    "profile_default/startup/00-first.py",
)
MODULES = (*LAB_NAMES, *STANDARD, *INSTALLED, *NOT_INSTALLED, *BY_THEMSELVES)


def write(home: Path, record: str = "") -> None:
    """Fill ``home``. The record is ``ran.txt`` in it, or the path that ``record`` gives as the kernel sees it."""
    record = record or str(home / "ran.txt")
    for name in MODULES:
        path = home / f"{name}.py"
        path.write_text(code(name, record))
    for name in START_UP:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}" if name.endswith(".json") else code(name, record))
    (home / ".local/lib/python3.11/site-packages/first.pth").write_text(
        f"import pathlib; {_line('first.pth', record)}\n"
    )
    (home / "my_features.py").write_text("import random\nWORD = f'mine {len(random.__file__) > 0}'\n")


def code(name: str, record: str) -> str:
    """Code that records that it ran."""
    return f"{_line(name, record)}\nFROM_THE_HOME = True\n"


def _line(name: str, record: str) -> str:
    return f"open({record!r}, 'a').write({name + chr(10)!r})"


def ran(home: Path) -> list[str]:
    """The names of all files of the home that were run."""
    record = home / "ran.txt"
    return sorted(set(record.read_text().split())) if record.exists() else []
