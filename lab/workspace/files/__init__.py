"""The server's way to files: the home by descriptors alone, and the settings that a person may change."""
