"""Choices that a reader passes over (不被注意的选择): forms that mean the same, and what they could carry."""
