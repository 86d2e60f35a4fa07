"""Sets of codes as data: one file each, with our own short labels; a client's own set comes as a rate table instead."""
