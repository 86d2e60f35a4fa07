"""Legal timekeeping: time and expense entries in, fees and costs of matters out.

Read it along the way of an entry: `formats` (files to records), `kinds` (what an entry says), `time` (minutes to billed hours),
`rates` (which price an hour has, and why), `arrangements` (flat fees, caps, discounts), `rating` (all of it, to lines of a bill).
`plugin` names all of it to the framework.
"""

__version__ = "0.1.0"
