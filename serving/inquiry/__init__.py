"""Inquiry (查询): what a named subject's dossier says, as lists, facts behind a score, reports and tiers."""
