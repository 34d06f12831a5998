"""Ledgers for the pages (台账): the search index, and views that hold the entries of some verbs."""
