"""Open items, allocations and payments as rows."""
