"""Remittances (835): read, balanced at three levels, and turned into answers that the core posts."""
