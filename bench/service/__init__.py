"""Figures of the scoring service: its speed, what a request costs, and what it withstands."""
