"""How custody stores tables: wrapped data keys, encrypted files, and the list of the files that count."""
