"""Words and what is none (词语): how much of a text a reader can read, and what the rest could carry."""
