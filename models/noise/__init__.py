"""Differential privacy (差分隐私): noise by OpenDP, and a budget of what has been spent."""
