"""Coded medical services: encounters become claims, claims are answered by remittances, and the patient owes what is left."""
