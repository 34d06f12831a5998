"""Copies of models (模型副本): read from the shelf, with fewer digits, written by us."""
