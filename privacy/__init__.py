"""Custody (托管区): raw records are brought in and stored encrypted; desensitised releases leave it."""
