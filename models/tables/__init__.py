"""Aggregate tables over records (汇总表), judged on the units behind each cell."""
