"""What is delivered: how much a bucket held on a day, and how often it was asked."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs
from billing_framework import UsageKind


class StorageClass(enum.Enum):
    """How fast data come back; each class has a price of its own."""

    STANDARD = "standard"
    ARCHIVE = "archive"


@attrs.frozen(kw_only=True)
class BucketDay:
    """One bucket on one day.

    Attributes:
        gigabytes: average size over the day.
        requests: how often objects were read or written.
        storage_class: how fast data come back.
    """

    gigabytes: Fraction = attrs.field(validator=attrs.validators.ge(Fraction(0)))
    requests: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    storage_class: StorageClass = StorageClass.STANDARD


BUCKET_DAY = UsageKind(name="bucket_day", title="How much a bucket held on a day", body=BucketDay)
