"""The bank's side: clients, and what they believe."""
