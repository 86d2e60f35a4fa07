"""Rating: usage, the calendar and price plans become exact charges, by raters and charge models."""
