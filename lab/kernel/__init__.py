"""How a notebook's kernel starts: ``python -I -B -m lab.kernel -f <connection file>``.

A kernel that starts this way reads no code and no configuration from the home before the first cell runs, and files of
the home never take the place of the lab's packages, of Python's modules or of installed libraries.
"""
