"""Verbs for the whole lab: run it, see its state, let people in, audit it."""
