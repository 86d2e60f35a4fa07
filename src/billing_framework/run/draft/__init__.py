"""From what is delivered and agreed to drafts: what a bill depends on, and how it comes about."""
