"""Files of encounters: JSON lines and CSV."""
