"""Groups of at least k subjects that are alike (微聚集, microaggregation), and the values that a group shows."""
