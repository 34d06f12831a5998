"""Files as source units send them, read as rows of text: CSV, Excel, JSON lines and Parquet."""
