"""The types that all zones share: subjects, the catalogue, and the three central types Seal, Gate and Ledger.

It imports no other package of the project. Outside libraries: ``cryptography`` (keys.py, subjects.py) and ``yaml``
(catalogue.py).
"""
