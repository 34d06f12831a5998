"""Verbs of the compute zone: training, promotion, evaluation, export."""
