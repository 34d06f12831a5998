"""Judging: what a version shows on rows it has not seen, and the gate that asks for it."""
