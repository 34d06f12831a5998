"""Requests (请求): what a person asks the zones to do, how far it is, and the agents that carry it out."""
