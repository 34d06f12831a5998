"""Rows (特征行): features of real subjects, so alike in groups that no subject is found by what is open about it."""
