"""Usage records as columns: the fast road of intake, for files of many records; what is not plainly good takes the other road."""
