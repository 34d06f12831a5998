"""The airlock (出域审查): the only way out of the lab. What leaves is checked, looked at by two people, and sealed."""
