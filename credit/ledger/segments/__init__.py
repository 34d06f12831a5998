"""Where the lines of a ledger are stored, sealed and looked up."""
