"""File formats of switches: how each becomes calls."""
