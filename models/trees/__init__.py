"""Trees: the strict reader of their text, the proof of their signs, and what they say of a row."""
