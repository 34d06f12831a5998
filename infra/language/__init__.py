"""The language of the command line: that of the person at the shell, Chinese or English."""
