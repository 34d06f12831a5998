"""Texts, code and notebooks (文本、代码、笔记本): read into blocks of one spelling, and written again from them."""
