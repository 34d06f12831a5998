"""What the intake loses, and how fast it is."""
