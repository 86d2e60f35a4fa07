"""Whole numbers as arguments and options: what the databases can hold, so that a longer one is a call that is written wrongly."""

from __future__ import annotations

import click

from billing_framework.values.identity import LARGEST_ID

NUMBER = click.IntRange(0, LARGEST_ID)
"""A key, or the number of a line, a batch or an edit."""

COUNT = click.IntRange(1, LARGEST_ID)
"""How many of something."""
