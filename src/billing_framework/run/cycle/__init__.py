"""A billing run: start, draft, review, approve, post, cancel."""
