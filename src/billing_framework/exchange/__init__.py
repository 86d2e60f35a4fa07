"""Exchange: what leaves and enters as files; here the printable invoice."""
