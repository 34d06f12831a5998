"""The attack on rows: what an attacker who knows something about a subject can find of it in a release."""
