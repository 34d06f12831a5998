"""Deliveries (归集批次) with a list: which files belong to one, its number, and the receipt for the source unit."""
