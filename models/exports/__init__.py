"""Exports: a version in the languages of other systems, each held equal to the scorer by a test."""
