"""The sealed ledger: tables, posting, balances and proof."""
