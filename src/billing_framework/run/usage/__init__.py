"""Usage is taken in, and what cannot be billed yet is decided about."""
