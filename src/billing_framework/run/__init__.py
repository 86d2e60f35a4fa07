"""Runs: the only floor with transactions. Each action loads, calls pure steps, and saves in one transaction."""
