"""Kinds of rate tables: charge master, fee schedule, relative values, locality and conversion factors."""
