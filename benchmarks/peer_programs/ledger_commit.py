"""django-ledger on SQLite: journal entries of six transactions by `commit_txs`, posted, 250 to a database transaction.

Runs in an environment of its own: ``python ledger_commit.py FILE SIZE``; prints seconds and rows as JSON.
"""

import json
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

import django
from django.conf import settings

database, size = sys.argv[1], int(sys.argv[2])
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django_ledger"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SECRET_KEY="benchmark",
    USE_TZ=True,
    DJANGO_LEDGER_USE_DEPRECATED_BEHAVIOR=False,
)
django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, transaction
from django_ledger.io import roles
from django_ledger.models import EntityModel, JournalEntryModel, TransactionModel

BATCH = 250
LINES = ("100.00", "20.00", "7.50", "2.00")
TAX = "9.50"
WHEN = datetime(2026, 10, 5, 12, tzinfo=UTC)


def main() -> None:
    """Write and time."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    call_command("migrate", verbosity=0)
    admin = get_user_model().objects.create_user("bench")
    entity = EntityModel.create_entity(name="Benchmark", use_accrual_method=True, admin=admin, fy_start_month=1)
    chart = entity.create_chart_of_accounts(assign_as_default=True, coa_name="Chart", commit=True)
    made = {
        code: entity.create_account(code=code, role=role, name=name, balance_type=side, active=True, coa_model=chart)
        for code, name, role, side in (
            ("1200", "Customers", roles.ASSET_CA_RECEIVABLES, "debit"),
            ("2200", "Tax", roles.LIABILITY_CL_TAXES_PAYABLE, "credit"),
            *((f"400{number}", f"Revenue {number}", roles.INCOME_OPERATIONAL, "credit") for number in range(len(LINES))),
        )
    }
    ledger = entity.create_ledger(name="Invoices", posted=True)
    sides = [("1200", sum(map(Decimal, (*LINES, TAX))), "debit"), ("2200", Decimal(TAX), "credit")]
    sides += [(f"400{place}", Decimal(amount), "credit") for place, amount in enumerate(LINES)]
    begun = time.perf_counter()
    for start in range(0, size, BATCH):
        with transaction.atomic():
            for number in range(start, min(start + BATCH, size)):
                ledger.commit_txs(
                    je_timestamp=WHEN,
                    je_txs=[
                        {"account": made[code], "amount": amount, "tx_type": side, "description": f"INV-{number:06d}"}
                        for code, amount, side in sides
                    ],
                    je_posted=True,
                    je_desc=f"INV-{number:06d}",
                )
    seconds = time.perf_counter() - begun
    rows = size + TransactionModel.objects.count()
    print(json.dumps({"seconds": seconds, "documents": JournalEntryModel.objects.count(), "rows": rows}))


main()
