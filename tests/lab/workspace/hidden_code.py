"""Code that tries to run unseen, made by a generator: each carrier in a file of the home, with each way to run it.

The file comes from outside, by the browser's own saving, so no recorded cell has it. After it has run it is changed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_RAN = "open('/home/lab/.ran-{n}', 'w').write('{word}')"
PLAIN = "import os\n" + _RAN
CARRIERS: dict[str, tuple[str, tuple[str, ...]]] = {  # ending -> the file as text, and the cells that run it
    ".py": (
        PLAIN,
        (
            "import sys; sys.path.insert(0, '/home/lab'); import {stem}",
            "import importlib.util as u; s = u.spec_from_file_location('m{n}', {path!r}); s.loader.exec_module(u.module_from_spec(s))",
            "import runpy; runpy.run_path({path!r})",
            "%run {path}",
            "%load_ext autoreload\nimport sys; sys.path.insert(0, '/home/lab'); __import__({stem!r})",
            "!{{__import__('sys').executable}} {path}",
            "import subprocess, sys; subprocess.run([sys.executable, {path!r}])",
            "import subprocess, sys; subprocess.run([sys.executable], stdin=open({path!r}))",
            "import multiprocessing as m; p = m.get_context('fork').Process(target=lambda: exec(open({path!r}).read())); p.start(); p.join()",
            "import py_compile, importlib.util as u; c = py_compile.compile({path!r}, '/tmp/c{n}.pyc'); s = u.spec_from_file_location('c{n}', c); s.loader.exec_module(u.module_from_spec(s))",
        ),
    ),
    ".txt": (
        PLAIN,
        (
            "exec(open({path!r}).read())",
            "import os; fd = os.open({path!r}, 0); exec(os.pread(fd, 1 << 16, 0))",
            "import mmap, os; fd = os.open({path!r}, 0); exec(bytes(mmap.mmap(fd, 0, prot=mmap.PROT_READ)))",
            "import threading; t = threading.Timer(.05, lambda: exec(open({path!r}).read())); t.start(); t.join()",
            "import os\nif os.fork() == 0:\n    os.setsid(); exec(open({path!r}).read()); os._exit(0)",
            "import linecache; exec(''.join(linecache.getlines({path!r})))",
            "import os; os.link({path!r}, '/home/lab/.l{n}'); exec(open('/home/lab/.l{n}').read())",
            "import os; os.symlink({path!r}, '/tmp/s{n}'); exec(open('/tmp/s{n}').read())",
            "import os; os.rename({path!r}, '/home/lab/.r{n}.dat'); exec(open('/home/lab/.r{n}.dat').read())",
            "import os; a = os.open({path!r}, os.O_PATH); exec(open(f'/proc/self/fd/{{a}}').read())",
            "import numpy as np; exec(np.fromfile({path!r}, dtype='u1').tobytes())",
            "import duckdb; exec(duckdb.sql(f\"SELECT content FROM read_text('{path}')\").fetchall()[0][0])",
            "import subprocess; exec(subprocess.run(['cat', {path!r}], capture_output=True, text=True).stdout)",
            "import shutil; shutil.copy({path!r}, '/tmp/t{n}.py'); import runpy; runpy.run_path('/tmp/t{n}.py')",
            "f = open({path!r}); get_ipython().events.register('post_run_cell', lambda *a: (get_ipython().events.callbacks['post_run_cell'].pop(), exec(f.read())))",
        ),
    ),
    ".ipynb": (
        '{{"cells": [{{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {{}}, "outputs": [], "source": "'
        + _RAN
        + '"}}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}',
        ("%run {path}", "import json; exec(''.join(json.load(open({path!r}))['cells'][0]['source']))"),
    ),
    ".sh": ("printf {word} > /home/lab/.ran-{n}", ("!sh {path}", "import subprocess; subprocess.run(['bash', {path!r}])", "!. {path}")),
    ".json": ('{{"x": "' + _RAN + '"}}', ("import json; exec(json.load(open({path!r}))['x'])", "import pandas as pd; exec(pd.read_json({path!r}, typ='series')['x'])")),
    ".csv": ("x\n" + '"' + _RAN + '"\n', ("import pandas as pd; exec(pd.read_csv({path!r})['x'][0])", "import duckdb; exec(duckdb.sql(f\"SELECT x FROM '{path}'\").fetchall()[0][0])")),
}  # fmt: skip
DONE = "/home/lab/.ran-{n}"


@dataclass(frozen=True, slots=True)
class CodeTry:
    """One try: a file that is saved by the browser, and the cell that gets it to run."""

    number: int
    name: str
    text: str
    cell: str

    @property
    def done(self) -> str:
        """The file of the home that exists when the code has run."""
        return DONE.format(n=self.number)


def code_tries(count: int, seed: int = 7) -> Iterator[CodeTry]:
    """``count`` tries: every ending with every way, in a drawn order."""
    choose = random.Random(seed)
    pairs = [(ending, way) for ending, (_, ways) in CARRIERS.items() for way in ways]
    choose.shuffle(pairs)
    for number in range(count):
        ending, way = pairs[number % len(pairs)]
        stem = f"brought_{number}"
        words = {"n": number, "stem": stem, "path": f"/home/lab/{stem}{ending}", "word": f"w{choose.getrandbits(60):x}"}
        yield CodeTry(number, stem + ending, CARRIERS[ending][0].format(**words), way.format(**words))
