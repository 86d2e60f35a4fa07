"""The ledger: double entry per book, append-only, sealed per posting batch; pure, and knowing none of its writers."""
