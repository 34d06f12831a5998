"""The pages of the city team (城市归集部门): counts, reasons and states of its work, from the ledgers.

No page has a value of a record. Rows with their values are read at custody, by its own page and commands.
"""
