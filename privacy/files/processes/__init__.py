"""Processes of their own that read files whose readers can take all memory (独立读取进程)."""
