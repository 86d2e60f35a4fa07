"""File formats of the trade: bytes in, usage records, findings and coverage out."""
