"""Receivables: what is owed and owing as open items, and how payments, credits, transfers and holds settle or shield them."""
