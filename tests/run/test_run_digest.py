"""The digest of a run: the same in whatever order its documents come, however many they are."""

from __future__ import annotations

import hashlib
import random

import pytest

from billing_framework.run.draft.digest import RunDigest


def said(count: int) -> list[str]:
    """Return what is said of so many documents, some of it twice, with letters of one to four bytes."""
    accounts = [f"{letter}{number % (count - count // 10)}" for number, letter in enumerate("Aé€𝄞" * (count // 4))]
    return [f'["{account}","{account * 3}",[],"[]"]' for account in accounts]


def digest_of(texts: list[str]) -> str:
    """Return the digest of documents in the order in which they come."""
    digest = RunDigest()
    for text in texts:
        digest.add(text)
    assert digest.hexdigest() == digest.hexdigest()
    return digest.hexdigest()


@pytest.mark.parametrize("count", [4, 100, 120_000])
def test_documents_may_come_in_any_order(count: int) -> None:
    texts = said(count)
    expected = hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
    assert digest_of(texts) == expected
    random.Random(count).shuffle(texts)  # noqa: S311
    assert digest_of(texts) == expected


def test_no_document_has_the_digest_of_nothing() -> None:
    assert RunDigest().hexdigest() == hashlib.sha256().hexdigest()
