"""Count the identifiers and docstrings that a newcomer would not understand, against a word list that only grows."""
