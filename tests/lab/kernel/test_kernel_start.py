"""No file of the home runs before the first cell or takes the place of a module of the lab, of Python or of a library.

The kernel is the one that the workspace starts, without the sandbox around it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from infra.sandbox.kernels import KERNEL
from infra.sandbox.places import PACKAGES
from lab.kernel import own_packages
from tests.lab import hostile_home
from tests.lab.library.test_kernel import KernelClient, of

ROOT = Path(own_packages.ROOT)
PLAIN = ("-m", "ipykernel_launcher", "-f")


def environment(home: Path) -> dict[str, str]:
    """What a kernel of the workspace is given, and variables that lead Python and IPython into the home."""
    return {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONPATH": str(home),
        "PYTHONSTARTUP": str(home / ".pythonrc.py"),
    }


def manager_of(command: tuple[str, ...], folder: Path) -> KernelManager:
    """A manager that starts kernels by this command."""
    specification = folder / "kernels" / "tried"
    specification.mkdir(parents=True)
    words = {"argv": [sys.executable, *command, "{connection_file}"], "display_name": "", "language": "python"}
    (specification / "kernel.json").write_text(json.dumps(words))
    manager = KernelManager(kernel_name="tried", connection_file=str(folder / "connection.json"))
    manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
    return manager


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    hostile_home.write(folder)
    return folder


@pytest.fixture(scope="module")
def kernel(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelClient]:
    """A kernel whose notebook lies in the hostile home; one for all tests."""
    manager = manager_of(KERNEL, tmp_path_factory.mktemp("kernel"))
    manager.start_kernel(cwd=str(home), env=environment(home))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield KernelClient(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def printed(kernel: KernelClient, code: str, stream: str = "stdout") -> str:
    published = kernel.run(code)
    assert of("error", published) == []
    return "".join(content["text"] for content in of("stream", published) if content["name"] == stream)


@pytest.mark.attack
def test_no_file_of_the_home_runs_before_or_with_the_first_cells(kernel: KernelClient, home: Path) -> None:
    assert hostile_home.ran(home) == []
    assert printed(kernel, "import lab; print(lab.__file__)").strip() == str(ROOT / "lab" / "__init__.py")
    printed(kernel, "import lab.library.orders, lab.library.query, lab.library.training, lab.library.export")
    kernel.client.complete("import js", 9, reply=True, timeout=30)
    kernel.client.inspect("lab.order", 9, reply=True, timeout=30)
    assert hostile_home.ran(home) == []


@pytest.mark.attack
@pytest.mark.parametrize(
    "start", ["from {} import ", "import {}.", "from {} import f", "{}.", "prin", "{}", "import {}"]
)
@pytest.mark.parametrize("name", [*hostile_home.NOT_INSTALLED, "my_features", "colorama", "gi"])
def test_completion_runs_no_file_of_the_home(kernel: KernelClient, home: Path, start: str, name: str) -> None:
    """The client completes without a cell, so what it ran would be in no ledger."""
    path = home / f"{name}.py"
    if not path.exists():
        path.write_text(hostile_home.code(name, str(home / "ran.txt")))
    code = start.format(name)
    kernel.client.complete(code, len(code), reply=True, timeout=30)
    kernel.client.inspect(code, len(code), reply=True, timeout=30)
    assert hostile_home.ran(home) == []


def test_completion_still_completes(kernel: KernelClient) -> None:
    printed(kernel, "import lab, json; somewhere_else = 1")
    for code, expected in (("somewh", "somewhere_else"), ("lab.cat", "catalogue"), ("from json import lo", "loads")):
        reply = kernel.client.complete(code, len(code), reply=True, timeout=30)
        assert any(match.endswith(expected) for match in reply["content"]["matches"]), code


@pytest.mark.attack
def test_the_same_home_does_run_in_a_plain_kernel(home: Path, tmp_path: Path) -> None:
    """The attack is real: Jupyter's own start runs what the home says, before any cell."""
    other = tmp_path / "home"
    other.mkdir()
    hostile_home.write(other)
    words = [sys.executable, *PLAIN, str(tmp_path / "connection.json")]
    subprocess.run(words, cwd=other, env=environment(other), capture_output=True, timeout=60)
    assert "sitecustomize" in hostile_home.ran(other)
    assert hostile_home.ran(home) == []


@pytest.mark.attack
@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_of_the_lab_is_the_labs(kernel: KernelClient, home: Path, name: str) -> None:
    place = printed(kernel, f"import {name}; print({name}.__file__)").strip()
    assert place == str(ROOT / name / "__init__.py")
    assert name not in hostile_home.ran(home)


@pytest.mark.attack
@pytest.mark.parametrize("name", [*hostile_home.STANDARD, *hostile_home.INSTALLED])
def test_a_module_of_python_or_of_a_library_is_itself(kernel: KernelClient, home: Path, name: str) -> None:
    assert printed(kernel, f"import {name}; print(hasattr({name}, 'FROM_THE_HOME'))").strip() == "False"
    assert name not in hostile_home.ran(home)


def test_modules_of_the_notebooks_folder_are_imported(kernel: KernelClient) -> None:
    assert printed(kernel, "import my_features; print(my_features.WORD)").strip() == "mine True"
    assert printed(kernel, "import sys; print(sys.path[-1:], '' in sys.path[:-1])").strip() == "[''] False"


def test_a_cell_that_means_a_hidden_file_is_warned_once(kernel: KernelClient, home: Path) -> None:
    for name in ("runs", "colorsys"):
        (home / f"{name}.py").write_text("")
    assert "runs.py" not in printed(kernel, "import runs", "stderr")
    warnings = printed(kernel, "from colorsys import rgb_to_hsv", "stderr")
    assert "colorsys.py in this folder is hidden" in warnings
    assert "请将 colorsys.py 改名" in warnings
    assert printed(kernel, "import colorsys", "stderr") == ""


def test_import_lab_warns_of_every_file_with_the_name_of_a_package_of_the_lab(
    tmp_path: Path, kernel: KernelClient, home: Path
) -> None:
    folder = tmp_path / "other"
    (folder / "credit").mkdir(parents=True)
    (folder / "credit" / "__init__.py").write_text("")
    (folder / "privacy").mkdir()  # a folder of data
    (folder / "models.py").write_text("")
    warnings = printed(kernel, f"import os; os.chdir({str(folder)!r})") or printed(kernel, "import lab", "stderr")
    printed(kernel, f"os.chdir({str(home)!r})")
    assert "models.py in this folder is hidden: `models` is a package of the lab" in warnings
    assert "credit/ in this folder is hidden" in warnings
    assert "privacy" not in warnings


def test_the_kernel_has_the_magic_and_words_for_errors(kernel: KernelClient) -> None:
    assert "%%features" in printed(
        kernel, "print('%%features' if 'features' in get_ipython().magics_manager.magics['cell'] else '')"
    )


@pytest.mark.attack
def test_the_kernel_does_not_start_when_it_is_not_isolated(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "lab.kernel", "-f", str(tmp_path / "connection.json")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "-I" in done.stderr


@pytest.mark.attack
@pytest.mark.parametrize("name", own_packages.PACKAGES)
@pytest.mark.parametrize("form", ["a file", "a folder"])
def test_import_lab_survives_files_with_the_names_of_its_packages_in_any_python(
    tmp_path: Path, name: str, form: str
) -> None:
    """Also in a script, or a kernel that was started another way, where the folder comes before everything else."""
    path = tmp_path / f"{name}.py" if form == "a file" else tmp_path / name / "__init__.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit('the file of the home ran')")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({str(ROOT)!r})\n"
        f"import lab, {name}, lab.library.orders; from models.features.feature_sql import check; print({name}.__file__)"
    )
    env = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / name / "__init__.py"), done.stderr


def test_a_module_that_was_imported_before_the_lab_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("")
    ways = f"sys.path[:0] = [{str(tmp_path)!r}]; sys.path.append({str(ROOT)!r})"
    code = f"import sys; {ways}; import models; import lab"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert f"{tmp_path / 'models.py'} was imported under that name before `import lab`" in done.stderr


def test_what_is_not_a_module_is_not_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.kernel.hidden_files import hidden_file

    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "json").mkdir()
    names: Any = ("mine", "json", "absent", "random")
    assert [hidden_file(name, tmp_path) for name in names] == [""] * 4
