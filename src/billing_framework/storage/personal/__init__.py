"""Personal data at rest: the keys of the people about whom data are kept, and what is sealed under them."""
