"""Invoicing: charges become drafts, drafts are reviewed, approved drafts become numbered documents that never change."""
