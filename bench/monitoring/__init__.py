"""Figures of monitoring, by simulation of months whose change is known."""
