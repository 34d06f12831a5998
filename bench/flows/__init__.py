"""Figures of whole flows: the demonstration's steps, a repair, the gateway and the workspaces."""
