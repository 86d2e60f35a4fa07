"""Exact values: numbers, money, quantities, prices, periods, calendars, units, findings and errors."""
