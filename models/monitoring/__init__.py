"""Statistics that say whether a model in production still does what it did when it was promoted.

Every limit depends on the number of rows, so that a small month raises no alarm by chance and a large one misses
nothing. The functions are pure: they read no file and know no clock. A line of the report is a :class:`WatchResult`.
"""
