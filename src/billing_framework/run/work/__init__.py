"""Who does the work of a run: shards, leases, workers here and elsewhere."""
