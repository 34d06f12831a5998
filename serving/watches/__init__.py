"""Watches (预警): a bank with a mandate hears of a subject's changes by signed webhooks, and of nothing else."""
