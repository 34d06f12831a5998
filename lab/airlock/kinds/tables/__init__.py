"""Tables (表格): CSV, JSON and Parquet are read into one flat, typed model, and written again from it."""
