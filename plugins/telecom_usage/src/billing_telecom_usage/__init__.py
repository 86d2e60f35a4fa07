"""Telephone calls for billing-framework: call detail records in, priced and itemised charges by destination out.

Read it along the way of a call: `formats` (files to records), `numbers` (what was dialled), `kinds` (what a record says), `deck`
(prices by prefix), `rating` (calls to charges), `review` (what an officer should look at). `plugin` offers all of it.
"""

__version__ = "0.1.0"
