"""How many outputs of a hostile kernel acted in a real browser, of those that a generator made."""

from __future__ import annotations

from functools import lru_cache

from bench.flows.workspaces import SAME, running_lab
from bench.record import record
from tests.lab.workspace.browser_page import chromium
from tests.lab.workspace.escape_watch import EscapeTrial
from tests.lab.workspace.output_escapes import escapes
from tests.lab.workspace.workspace_client import WorkspaceClient

OUTPUTS, IN_NOTEBOOK = 650, 120


def output_escapes_tried() -> None:
    """The tries: outputs of a cell, and outputs, markdown and attachments of a notebook that a kernel wrote."""
    record("output_escapes_tried", OUTPUTS + IN_NOTEBOOK, "outputs", more={"seen": _seen()[:20]})


def output_escapes_succeeded() -> None:
    """The navigations, downloads, windows and requests to other hosts that they caused."""
    record("output_escapes_succeeded", len(_seen()), "escapes", goal=0)


@lru_cache(maxsize=1)
def _seen() -> list[str]:
    with running_lab(1) as (url, home), chromium() as browser:
        client = WorkspaceClient(url, "r1")
        client.log_in(SAME)
        client.start()
        trial = EscapeTrial(browser, url, home, client, SAME)
        tried = list(escapes(OUTPUTS + IN_NOTEBOOK))
        clicked = trial.try_outputs(tried[:OUTPUTS])
        clicked += trial.try_notebook(tried[OUTPUTS:])
        assert clicked > OUTPUTS, "the outputs were there"
        seen = trial.watch.seen
        trial.close()
        WorkspaceClient.close_all()
    return seen
