"""The verbs of ``haihe``: the table of them, their shared options, and a folder for each group of zones."""
