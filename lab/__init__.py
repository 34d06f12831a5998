"""The researcher's library (研究人员工具包): ``import lab``.

::

    lab.me()             user, project, granted tables           lab.catalogue("罚款")   the practice tables (练习数据)
    lab.sql("SELECT …")  any SELECT over them, as of a day       lab.sample(100)         some rows, the same each time
    lab.releases()       the days of records, which compute has
    lab.check(sql)       check feature SQL as the compute zone does; %%features in a cell
    lab.features(sql)    compute the features of a SELECT        lab.order(…)            base model + your own features
    lab.rows(sql)        rows of real subjects, alike in groups (特征行)
    lab.table("SELECT …") an aggregate table over records, judged on the subjects in each cell (汇总表)
    lab.train(order)     train on the cluster, with progress     lab.runs(), lab.run(id) trainings and their results
    lab.compare(a, b)    figures and plots of versions           lab.carry_out("a.csv", …)  submit results for release
    lab.measure(run, order)  a version on other rows             lab.parcels()           your submitted results
    lab.champion("enterprise")  what is in production        lab.register(run, "why")  request its promotion (申请上线)
    lab.notices()        your tasks and what changed
    lab.help()           all of this in your language 用您的语言说明；lab.help("rows") 说明一个函数

    练习数据 lab.catalogue() lab.sql() lab.sample() lab.check() lab.features()
    真实记录（在计算区）lab.releases() lab.rows() lab.table() lab.order() lab.train() lab.runs() lab.compare()
    lab.measure() lab.champion() lab.register()  带出结果 lab.carry_out() lab.parcels() lab.notices()

A module is imported when one of its functions is first used, so ``import lab`` itself is quick.
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
    from lab.library.guide import help as help
    from lab.library.measuring import measure as measure
    from lab.library.orders import feature as feature
    from lab.library.orders import order as order
    from lab.library.promotion import champion as champion
    from lab.library.promotion import register as register
    from lab.library.query import sample as sample
    from lab.library.query import sql as sql
    from lab.library.releases import releases as releases
    from lab.library.rows import rows as rows
    from lab.library.tables import table as table
    from lab.library.training import run as run
    from lab.library.training import runs as runs
    from lab.library.training import train as train

_MODULES = {
    "me": "catalogue",
    "catalogue": "catalogue",
    "releases": "releases",
    "sql": "query",
    "sample": "query",
    "check": "features",
    "features": "features",
    "feature": "orders",
    "order": "orders",
    "rows": "rows",
    "table": "tables",
    "train": "training",
    "run": "training",
    "runs": "training",
    "compare": "comparison",
    "measure": "measuring",
    "champion": "promotion",
    "register": "promotion",
    "carry_out": "export",
    "parcels": "export",
    "notices": "export",
    "help": "guide",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise _no_such_name(name)
    checked = importlib.import_module("lab.library.arguments").checked  # a wrong argument is refused in words
    function = globals()[name] = checked(getattr(importlib.import_module(f"lab.library.{_MODULES[name]}"), name))
    return function


def __dir__() -> list[str]:
    return sorted(_MODULES)


def _no_such_name(name: str) -> AttributeError:
    if name.startswith("_"):  # Python and IPython look for such names, and no person reads why they are not there
        return AttributeError(name)
    no_such_name: type[AttributeError] = importlib.import_module("lab.library.no_such_name").NoSuchName
    return no_such_name(name, sorted(_MODULES))


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext lab``: install the cell magic, readable errors and the report of tables read; import lab does too."""
    importlib.import_module("lab.library.ipython").install(shell)


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    load_ipython_extension(_shell)
