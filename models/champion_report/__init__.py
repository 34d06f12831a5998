"""The monthly report of a champion: what arrives, what it answers, and, when labels ripen, whether it was right."""
