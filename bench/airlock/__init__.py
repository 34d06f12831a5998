"""Attackers on the airlock, who encode and decode: what they carry out that no reviewer sees."""
