"""Outcomes (结果): events of loans, reported by banks, stored and sealed for compute."""
