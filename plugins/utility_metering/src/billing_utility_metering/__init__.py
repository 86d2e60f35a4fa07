"""Utility metering: meter files in, registers and intervals measured, time of use and tiers priced.

Read it along the way of a reading: `formats` (files to records), `kinds` (what a record says), `rating` (records to
measures), `pricing` (measures to charges), `review` (what an officer should look at). `plugin` names all of it to the framework.
"""

__version__ = "0.1.0"
