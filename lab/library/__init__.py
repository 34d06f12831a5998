"""What ``import lab`` is made of."""
