"""Jobs: a file of codes scored in the background, line by line, each under its own mandate."""
