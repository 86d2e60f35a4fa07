"""What was billed is shown, explained by replay, quoted without a database, and proven against the ledger."""
