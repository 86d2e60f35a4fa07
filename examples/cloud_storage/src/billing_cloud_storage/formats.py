"""Which files buckets are read from."""

from __future__ import annotations

from billing_framework import Layout, delimited_reader

from billing_cloud_storage.kinds import BUCKET_DAY

# The id joins two columns, because a bucket reports once a day; a day reported again with other figures is a conflict.
BUCKETS_CSV = delimited_reader(
    "bucket_days_csv",
    "Bucket days as CSV: bucket,day,gigabytes,requests,class",
    Layout(
        kind=BUCKET_DAY,
        columns={
            "external_id": ("bucket", "day"),
            "subject": "bucket",
            "start": "day",
            "gigabytes": "gigabytes",
            "requests": "requests",
            "storage_class": "class",
        },
    ),
)
