"""The gateway (网关): the one service a notebook can talk to, over a socket that is its identity."""
