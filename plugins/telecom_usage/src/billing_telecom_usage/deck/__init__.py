"""Decks: tables of prices by number prefix."""
