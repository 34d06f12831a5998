"""Measured figures (``make bench``, ``make bench ONLY="name name"``): one JSON line each, in ``var/bench``."""
