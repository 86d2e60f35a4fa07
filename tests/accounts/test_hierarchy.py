from __future__ import annotations

import pytest

from billing_framework.accounts.billing_group import billing_groups
from billing_framework.accounts.hierarchy import Branch, ancestors, hierarchy_findings, payer_of
from billing_framework.values.errors import Refused


def tree(**parents: str) -> dict[str, Branch]:
    """Return a tree of name to parent; a parent with ``!`` pays."""
    return {
        code: Branch(parent=parent.rstrip("!"), payer="parent" if parent.endswith("!") else "self", book="US", currency="USD")
        for code, parent in parents.items()
    }


def test_the_bill_goes_up_as_long_as_parents_pay() -> None:
    accounts = tree(group="", region="group!", shop="region!", till="shop!", stall="shop")
    groups = billing_groups({code: branch.parent for code, branch in accounts.items() if branch.passes_on}, [])

    assert groups.payer("till") == "group"
    assert groups.payer("stall") == "stall"
    assert list(ancestors("till", accounts)) == ["shop", "region", "group"]
    assert groups.members(["shop"]) == ["group", "region", "shop", "till"]
    assert groups.members(["stall", "kiosk"]) == ["kiosk", "stall"]


def test_who_shares_a_charge_is_billed_together_with_all_for_whom_it_pays() -> None:
    groups = billing_groups({"till": "shop", "desk": "office"}, [("till", "desk"), ("stall", "kiosk")])

    assert groups.bearers("till") == {"shop", "office"}
    assert groups.members(["desk"]) == groups.members(["shop"]) == ["desk", "office", "shop", "till"]
    assert groups.members(["kiosk"]) == ["kiosk", "stall"]


def test_a_branch_without_a_payer_keeps_only_itself_from_being_billed() -> None:
    groups = billing_groups({"till": "shop", "a": "b", "b": "a", "alien": "alien"}, [])

    assert groups.members(["shop"]) == ["shop", "till"]
    for code in ("a", "alien"):
        with pytest.raises(Refused, match="ACCOUNT04"):
            groups.members([code])


def test_a_loop_has_no_payer() -> None:
    with pytest.raises(Refused, match="ACCOUNT04"):
        payer_of("a", {"a": "b", "b": "a"})


@pytest.mark.parametrize(
    ("accounts", "code", "expected"),
    [
        (tree(a="b", b="c", c=""), "a", None),
        (tree(a="b", b="a"), "a", "ACCOUNT04"),
        (tree(a="b", b="c", c="b"), "a", "ACCOUNT04"),
        (tree(a="nobody"), "a", "ACCOUNT09"),
        (tree(a="b", b="nobody"), "a", None),
        (tree(**{f"n{level}": f"n{level + 1}" for level in range(33)}, n33=""), "n0", "ACCOUNT04"),
        (tree(**{f"n{level}": f"n{level + 1}" for level in range(32)}, n32=""), "n0", None),
    ],
)
def test_the_place_in_the_tree(accounts: dict[str, Branch], code: str, expected: str | None) -> None:
    found = hierarchy_findings([code], accounts)

    assert (found[code].code if found else None) == expected


@pytest.mark.parametrize("other", [{"currency": "EUR"}, {"book": "CH"}])
def test_a_branch_has_one_book_and_one_currency(other: dict[str, str]) -> None:
    accounts = tree(a="b", b="") | {"b": Branch(**({"parent": "", "payer": "self", "book": "US", "currency": "USD"} | other))}

    assert hierarchy_findings(["a"], accounts)["a"].code == "ACCOUNT04"
