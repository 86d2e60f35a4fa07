"""Runs the migrations on the connection, and in the transaction, that `billing_framework.storage.migrate` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
