"""In a kernel the promised libraries are there, Chinese is drawn, and whatever installs packages says what to do."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit.errors import Refused
from infra.sandbox.places import CHINESE_PLOTS, COMMANDS
from lab.kernel import no_installs

LIBRARIES = ("statsmodels.api", "xgboost", "catboost", "shap", "seaborn", "sklearn", "lightgbm", "polars")
DRAW = """import sys, warnings
warnings.simplefilter("error")
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.set_title("企业信用风险：违约率 −0.5")
axes.set_xlabel("分数，万元")
axes.plot([-1, 1], [-1, 1])
figure.savefig(sys.argv[1])
from matplotlib.font_manager import FontProperties, findfont
print(findfont(FontProperties(family="Noto Sans SC")))"""


@pytest.mark.parametrize("name", sorted(path.name for path in COMMANDS.iterdir()))
@pytest.mark.parametrize(
    ("language", "words"), [("zh_CN.UTF-8", "工作区不能安装软件包"), ("C.UTF-8", "Nothing is installed")]
)
def test_a_command_that_installs_answers_in_words(name: str, language: str, words: str) -> None:
    env = {"PATH": f"{COMMANDS}:{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": language}
    done = subprocess.run([name, "install", "anything"], env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert words in done.stderr
    assert "lab.help" in done.stderr


def test_a_magic_that_installs_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="Nothing is installed in a workspace: it has no network"):
        no_installs.refuse("install anything")


def test_only_a_module_that_is_not_there_gets_a_hint() -> None:
    with pytest.raises(ModuleNotFoundError) as absent:
        importlib.import_module("nothing_of_this_name.part")
    assert "nothing_of_this_name is not installed here" in no_installs.hint_of(absent.value)
    with pytest.raises(ModuleNotFoundError) as part:
        importlib.import_module("json.nothing_of_this_name")
    assert no_installs.hint_of(part.value) == ""


def test_chinese_is_drawn_without_a_warning_in_a_font_of_ordinary_weight(tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "PATH": "/usr/bin:/bin",
        **CHINESE_PLOTS,
    }
    words = [sys.executable, "-I", "-c", DRAW, str(tmp_path / "drawn.png")]
    done = subprocess.run(words, env=env, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).name == "NotoSansSC-Regular.ttf"


def test_the_libraries_that_help_names_are_there(tmp_path: Path) -> None:
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint('all')"
    env = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code, *LIBRARIES], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "all", done.stderr
