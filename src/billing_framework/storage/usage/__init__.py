"""Usage records, their batches and suspense as rows."""
