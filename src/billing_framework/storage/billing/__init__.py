"""Runs, documents, numbers and holds as rows."""
