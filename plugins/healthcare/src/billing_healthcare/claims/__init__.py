"""Professional claims (837P): what a claim says, how it is written, and how a file is checked."""
