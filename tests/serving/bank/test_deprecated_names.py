"""An import that the banks' guide showed before still works, gives the same object, and says what to write instead."""

from __future__ import annotations

import importlib
import sys

import pytest

MOVED = [
    ("serving.access.holder", "HeldKey", "serving.auth.client_key", "ClientKey"),
    ("serving.ledger.signatures", "verify", "serving.audit.signatures", "verify"),
    ("serving.ledger.signatures", "ring_of", "serving.audit.signatures", "ring_of"),
    ("serving.bank.told", "Score", "serving.bank.response_types", "Score"),
    ("serving.bank.told", "Brought", "serving.bank.response_types", "SuppliedFeatures"),
]


@pytest.mark.parametrize(("module", "name", "new_module", "new_name"), MOVED)
def test_an_old_import_works_and_names_the_new_one(module: str, name: str, new_module: str, new_name: str) -> None:
    sys.modules.pop(module, None)
    with pytest.warns(DeprecationWarning, match=new_module.replace(".", r"\.")):
        old = importlib.import_module(module)
    assert getattr(old, name) is getattr(importlib.import_module(new_module), new_name)
