"""Accounts: who is billed for what: parties, accounts, agreements, and the dated assignments of identifiers to them."""
