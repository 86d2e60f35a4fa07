"""Which price an hour or a copy has on its day, and why: dated rows, ordered dimensions, ties told."""
