"""How many reads of tables, and how much code from the home, no record has, of those that a generator tried."""

from __future__ import annotations

from functools import lru_cache

from bench.flows.workspaces import SAME, running_lab
from bench.record import record
from tests.lab.workspace.hidden_code import code_tries
from tests.lab.workspace.hidden_reads import tries
from tests.lab.workspace.read_trial import ReadTrial
from tests.lab.workspace.workspace_client import WorkspaceClient

READS, CODE = 120, 72
TABLES = ("registration", "administrative_penalty", "tax_credit_rating", "loan_performance")


def unseen_reads() -> None:
    """Reads of a kernel that the ledger does not have, or not of that kernel."""
    unseen, _ = _tried()
    record("unseen_reads", len(unseen), "reads", goal=0, more={"tried": READS, "cells": unseen[:5]})


def unseen_code() -> None:
    """Files of the home whose code ran and whose text, as it ran, is not kept."""
    _, unseen = _tried()
    record("unseen_code", len(unseen), "files", goal=0, more={"tried": CODE, "cells": unseen[:5]})


@lru_cache(maxsize=1)
def _tried() -> tuple[list[str], list[str]]:
    with running_lab(1) as (url, home):
        client = WorkspaceClient(url, "r1")
        client.log_in(SAME)
        client.start()
        trial = ReadTrial(home, client.kernel())
        unseen = trial.unseen(tries(READS, TABLES)), trial.unseen_code(code_tries(CODE))
        WorkspaceClient.close_all()
    return unseen
