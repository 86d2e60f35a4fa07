"""New trade: from delivered work to priced lines, as a plugin of billing-framework."""
