"""How issued documents leave: planned from the outbox, tried until done."""
