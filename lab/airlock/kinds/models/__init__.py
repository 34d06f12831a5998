"""Models (模型): named by a file, read from the shelf, and written by us as a copy that never serves."""
