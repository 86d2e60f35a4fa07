"""django-hordak on PostgreSQL: invoices of four lines and a tax as transactions of six legs, by `bulk_create`, 250 at a time.

Runs in an environment of its own: ``python hordak_bulk.py DATABASE HOST SIZE``; prints seconds and rows as JSON.
"""

import json
import sys
import time
from datetime import date
from decimal import Decimal

import django
from django.conf import settings

database, host, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": database, "USER": "postgres", "HOST": host}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DEFAULT_CURRENCY="USD",
    HORDAK_DECIMAL_PLACES=2,
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command
from django.db import transaction
from hordak.models import Account, AccountType, Leg, Transaction
from moneyed import Money

BATCH = 250
LINES = ("100.00", "20.00", "7.50", "2.00")
TAX = "9.50"


def main() -> None:
    """Write and time."""
    call_command("migrate", verbosity=0)
    made = {
        code: Account.objects.create(name=name, code=code, type=kind, currencies=["USD"])
        for code, name, kind in (
            ("1200", "Customers", AccountType.asset),
            ("2200", "Tax", AccountType.liability),
            *((f"400{number}", f"Revenue {number}", AccountType.income) for number in range(len(LINES))),
        )
    }
    gross = sum(map(Decimal, (*LINES, TAX)))
    begun = time.perf_counter()
    for start in range(0, size, BATCH):
        numbers = range(start, min(start + BATCH, size))
        with transaction.atomic():
            entries = Transaction.objects.bulk_create(
                [Transaction(date=date(2026, 10, 5), description=f"INV-{number:06d}") for number in numbers]
            )
            legs = []
            for entry in entries:
                legs.append(Leg(transaction=entry, account=made["1200"], debit=Money(gross, "USD")))
                legs.extend(
                    Leg(transaction=entry, account=made[f"400{place}"], credit=Money(amount, "USD"))
                    for place, amount in enumerate(LINES)
                )
                legs.append(Leg(transaction=entry, account=made["2200"], credit=Money(TAX, "USD")))
            Leg.objects.bulk_create(legs)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "documents": Transaction.objects.count(), "rows": size + Leg.objects.count()}))


main()
