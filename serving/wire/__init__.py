"""From bytes on a socket to a call, and back."""
