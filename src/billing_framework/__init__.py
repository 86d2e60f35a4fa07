"""A framework for billing systems: delivered work becomes charges, documents, ledger entries and settled open items.

Everything that a plugin may import stands here, in ``__all__``; whatever is not listed may change without notice.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
