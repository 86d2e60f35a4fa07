"""Rating: calls in, charges by destination out."""
