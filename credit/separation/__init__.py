"""Separation of people over time (制审分离): who may judge what, decided over the whole span from request to end."""
