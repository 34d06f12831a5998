"""Who may ask for what: bank clients, tokens and proofs, mandates, quotas."""
