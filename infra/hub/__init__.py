"""JupyterHub: its configuration as a function of settings, its login, its proxy, and the spawner of sandboxes."""
