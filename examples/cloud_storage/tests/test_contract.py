"""The rater keeps the contract, and comes to figures that were worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from billing_framework import DateSpan, Span, Usage
from billing_framework.testing import Figure, RaterContract, Specimen

from billing_cloud_storage import plugin
from billing_cloud_storage.kinds import BUCKET_DAY, BucketDay, StorageClass

PLAN = Path(__file__).parents[1] / "plan.toml"
HEADER = b"bucket,day,gigabytes,requests,class\n"


def bucket_day(bucket: str, day: int, gigabytes: str, requests: int, storage_class: StorageClass) -> Usage[BucketDay]:
    """Return a bucket's day in July 2026."""
    return Usage(
        kind=BUCKET_DAY.name,
        source="test",
        external_id=f"{bucket}/{day}",
        subject=bucket,
        span=Span.at(datetime(2026, 7, day, tzinfo=UTC)),
        body=BucketDay(gigabytes=Fraction(gigabytes), requests=requests, storage_class=storage_class),
    )


class TestRater(RaterContract):
    """See `billing_framework.testing.checks` for what is proven."""

    @pytest.fixture
    def specimen(self) -> Specimen:
        """Return three days of one bucket and two of another."""
        return Specimen(
            plugins=[("cloud_storage", plugin)],
            plan=PLAN.read_text(encoding="utf-8"),
            records=[
                bucket_day("photos", 1, "930", 12_000, StorageClass.STANDARD),
                bucket_day("photos", 2, "310", 12_000, StorageClass.STANDARD),
                bucket_day("photos", 3, "620", 12_000, StorageClass.STANDARD),
                bucket_day("backups", 9, "155", 15_000, StorageClass.ARCHIVE),
                bucket_day("backups", 10, "155", 0, StorageClass.ARCHIVE),
            ],
            figures=[
                Figure("standard", "1.70"),  # 1860 gigabyte-days / 31 = 60: 50 x 0.03 + 10 x 0.02
                Figure("archive", "0.04"),  # 310 gigabyte-days / 31 = 10: 10 x 0.004
                Figure("requests", "0.30"),  # 51,000 requests are 6 packages begun
            ],
            period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)),
            bad_records=[bucket_day("photos", 5, "1", 0, StorageClass.STANDARD)],  # the fourth is missing
            bad_files=[("bucket_days_csv", HEADER + b"photos,2026-07-01,-1,0,standard\n")],
        )
