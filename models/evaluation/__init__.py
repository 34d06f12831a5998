"""The public evaluation in compute: its declarations, its indicator sheets of every subject, and its validation."""
