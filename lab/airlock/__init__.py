"""The airlock (出域审查): the only way out of the lab. Files are checked, reviewed by two people, and sealed."""
