"""The gateway (网关): the only service that a notebook can reach, over a socket that identifies the workspace."""
