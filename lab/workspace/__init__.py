"""The parts inside a workspace (工作区): the sealed Jupyter server, its launcher of kernels, and the log of cells."""
