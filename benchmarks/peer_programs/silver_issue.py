"""django-silver on SQLite: invoices of four entries, created and issued one by one, 250 to a transaction; it has no ledger.

Runs in an environment of its own: ``python silver_issue.py FILE SIZE``; prints seconds and rows as JSON.
"""

import json
import sys
import time
from decimal import Decimal

import django
from django.conf import settings

database, size = sys.argv[1], int(sys.argv[2])
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    INSTALLED_APPS=[
        "dal",
        "dal_select2",
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
        "silver",
    ],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SECRET_KEY="benchmark",
    PAYMENT_PROCESSORS={},
    PAYMENT_METHOD_SECRET=b"YOUR_FERNET_KEY_HERE",
    SILVER_CURRENCY_CONVERTER="silver.currencies.DummyConverter",
    SILVER_AUTOMATICALLY_CREATE_TRANSACTIONS=False,
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from silver.models import Customer, DocumentEntry, Invoice, Provider

BATCH = 250
LINES = ("100.00", "20.00", "7.50", "2.00")
ISSUED, DUE = "2026-10-05", "2026-10-19"


def main() -> None:
    """Write and time."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    call_command("migrate", verbosity=0)
    place = {"address_1": "1 Measure Street", "city": "Scale", "country": "US", "zip_code": "1000"}
    provider = Provider.objects.create(name="Benchmark", flow="invoice", invoice_series="INV", invoice_starting_number=1, **place)
    customers = [
        Customer.objects.create(
            first_name="Customer", last_name=str(number), currency="USD", sales_tax_percent=Decimal("7.34"), **place
        )
        for number in range(BATCH)
    ]
    begun = time.perf_counter()
    for start in range(0, size, BATCH):
        with transaction.atomic():
            for number in range(start, min(start + BATCH, size)):
                invoice = Invoice.objects.create(
                    provider=provider, customer=customers[number % BATCH], currency="USD", transaction_currency="USD"
                )
                for line, price in enumerate(LINES):
                    DocumentEntry.objects.create(
                        invoice=invoice, description=f"Line {line}", quantity=Decimal(1), unit_price=Decimal(price)
                    )
                invoice.issue(issue_date=ISSUED, due_date=DUE)
                invoice.save()
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "documents": Invoice.objects.count(), "rows": size + DocumentEntry.objects.count()}))


main()
