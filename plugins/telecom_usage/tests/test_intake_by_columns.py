"""The same files taken in by columns and record by record: the same rows in every table, the same report, on both databases."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from billing_telecom_usage import plugin
from billing_telecom_usage.numbers import NumberPlan
from billing_telecom_usage.settings import ColumnMapping, Source, TelecomSettings

import billing_framework.run.usage.column_desk as column_desk
import billing_framework.usage.columnar.line_blocks as line_blocks
from billing_framework import Account, Agreement, Assignment, Party
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings
from billing_framework.run.deployment import Deployment
from billing_framework.run.schema import check_schema, tables_of
from billing_framework.run.usage import intake
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_rows import insert_values
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.migrate import upgrade
from billing_framework.storage.usage.kind_table import create_kind_tables
from billing_framework.values.clock import MovableClock

TABLES = ("usage_batch", "usage_key", "usage_subject", "usage_suspense", "usage_coverage", "usage_call", "audit_event")
MAPPING = ColumnMapping(
    columns={"caller": "caller", "called": "called", "start": "start", "billed": "billed", "disposition": "result"},
    record_id=("id",),
)
HEADER = "id,caller,called,start,billed,result\n"
