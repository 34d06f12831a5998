"""Custody (托管区): raw records come in and are kept sealed; releases go out by ``custody.release``."""
