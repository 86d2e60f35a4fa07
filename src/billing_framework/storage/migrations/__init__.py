"""The Alembic environment of the core; its revisions stand in ``versions``."""
