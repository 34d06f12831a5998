"""What each column of a query derives from, and who may know it already."""
