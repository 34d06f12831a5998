"""The checks of tables (表格检查): small cells, row-level data, dominance, hidden cells, differencing.

A check is a function of a :class:`~lab.airlock.checks.small_cells.TableCase` and the thresholds that yields issues.
To add one, write it, list it in its file's ``CHECKS``, describe its threshold in ``thresholds.yaml`` and in
``docs/airlock.md``, and name it in the console's texts (``check.…``).
"""
