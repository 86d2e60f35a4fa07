"""Usage: what was delivered, as its source delivered it; taken in once, guided by dated assignments, never changed."""
