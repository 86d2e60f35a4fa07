"""From worked and entered time to billed hours: increments, minimums, days."""
