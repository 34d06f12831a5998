"""The pages of the console, one file per group of pages."""
