"""Outputs on their way to a browser (输出净化): written again from allow-lists, where no kernel reaches.

A kernel chooses every byte that it sends and every notebook in its home. What passes here is written again from a few
kinds of messages, a few kinds of pictures, and HTML that shows but does not act: nothing in it leads to another page,
downloads, submits, opens or loads.
"""
