"""Signing in at the command line: through the hub in a browser, with a token in the user's own configuration."""
