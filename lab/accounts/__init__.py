"""Accounts (账户): who may sign in, in which roles, since when; folded from the front desk's ledger."""
