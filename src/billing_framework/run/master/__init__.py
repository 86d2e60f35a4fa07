"""Officers keep books, periods, customers, price plans, tax rates and manual charges."""
