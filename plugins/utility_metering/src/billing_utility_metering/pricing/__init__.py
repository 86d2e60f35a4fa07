"""Charge models of the trade: time of use, tiers by season, and both together."""
