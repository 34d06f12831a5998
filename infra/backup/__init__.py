"""Backup and restore of a home: the data in one place, its keys in another."""
