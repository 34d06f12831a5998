"""A version on other rows (在其他样本上度量): other days, outcomes or subjects than it was trained on, as evidence."""
