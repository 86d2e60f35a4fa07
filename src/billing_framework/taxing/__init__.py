"""Taxing: rounded lines become taxes by group, shared back to the lines."""
