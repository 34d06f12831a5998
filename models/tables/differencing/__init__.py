"""Differencing over the units behind cells: which combinations of given statistics would isolate a few of them."""
