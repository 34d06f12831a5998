"""The language every zone speaks: subjects, the catalogue, and three central types — Seal, Gate, Ledger.

It imports nothing of ours. Outside libraries: ``cryptography`` (keys.py, subjects.py) and ``yaml`` (catalogue.py).
"""
