"""Cloud storage: from what buckets hold to priced lines, as a plugin of billing-framework."""
