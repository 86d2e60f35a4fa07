"""From entries to the lines of a bill."""
