"""The agents (各区代办): one process a zone, composed of the steps that the zone's package offers.

``python -m infra.agents custody`` starts one with ``HAIHE_CUSTODY_…``. Each file imports its own zone's packages alone.
"""
