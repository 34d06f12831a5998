"""Figures of the ledgers."""
