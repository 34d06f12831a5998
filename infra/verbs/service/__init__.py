"""Verbs of the service zone: banks, mandates, scores, credit reports."""
