"""The cells of a table: the units in each, what they contribute, its rules, and its rounded values."""
