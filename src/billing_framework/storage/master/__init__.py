"""Books, customers, price plans, tax rates and manual charges as rows."""
