"""What runs inside a workspace (工作区): the sealed Jupyter server, its kernels' launcher, and the log of cells."""
