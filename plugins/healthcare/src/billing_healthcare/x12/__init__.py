"""ASC X12 interchanges as text: delimiters, envelope, segments. Knows nothing of money."""
