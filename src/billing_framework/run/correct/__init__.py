"""Issued documents are corrected: credited, or credited and billed anew with what rests on them."""
