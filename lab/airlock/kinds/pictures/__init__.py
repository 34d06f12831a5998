"""Pictures (图片): decoded, reduced to a screen's size and a few distinct colours, and encoded again."""
