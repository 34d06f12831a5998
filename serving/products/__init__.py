"""What a call for a product does, and an answer made again."""
