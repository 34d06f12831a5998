"""The machinery around the zones: the command line, the stack on one machine, the demonstration. Nothing imports it."""
