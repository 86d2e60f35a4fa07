"""File formats of the trade: bytes in, time and expense entries out."""
