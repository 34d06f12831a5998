"""The researcher's library (研究人员工具包): ``import lab``.

::

    lab.me()             who and what this workspace is          lab.catalogue("罚款")   the granted tables
    lab.sql("SELECT …")  any SELECT over as-of views             lab.sample(100)         some rows, the same each time
    lab.check(sql)       feature SQL, by the very check of the compute zone; %%features in a cell
    lab.features(sql)    what it gives, for a look               lab.order(…)            base model + your own features
    lab.train(order)     asked of the cluster, watched here      lab.runs(), lab.run(id) what became of it
    lab.compare(a, b)    figures and plots of versions           lab.carry_out("a.csv", …)  ask to take results out
    lab.parcels()        what you asked to take out              lab.notices()           what changed since

Nothing is loaded before its first use, so the import costs nothing to who needs a part of it alone.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from lab.kernel import own_packages

own_packages.install()

if TYPE_CHECKING:
    from lab.library.catalogue import catalogue as catalogue
    from lab.library.catalogue import me as me
    from lab.library.comparison import compare as compare
    from lab.library.export import carry_out as carry_out
    from lab.library.export import notices as notices
    from lab.library.export import parcels as parcels
    from lab.library.features import check as check
    from lab.library.features import features as features
    from lab.library.orders import feature as feature
    from lab.library.orders import order as order
    from lab.library.query import sample as sample
    from lab.library.query import sql as sql
    from lab.library.training import run as run
    from lab.library.training import runs as runs
    from lab.library.training import train as train

_WHERE = {
    "me": "catalogue",
    "catalogue": "catalogue",
    "sql": "query",
    "sample": "query",
    "check": "features",
    "features": "features",
    "feature": "orders",
    "order": "orders",
    "train": "training",
    "run": "training",
    "runs": "training",
    "compare": "comparison",
    "carry_out": "export",
    "parcels": "export",
    "notices": "export",
}
__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"lab has no {name}; it has {', '.join(sorted(_WHERE))}")
    found = getattr(importlib.import_module(f"lab.library.{_WHERE[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(_WHERE)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext lab``: the cell magic, errors in words, and the report of tables read. ``import lab`` does it too."""
    importlib.import_module("lab.library.ipython").install(shell)


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    load_ipython_extension(_shell)
