"""What an answer says, and the quick ways to its bytes."""
