"""Rows of the rate tables: one attrs class per kind; a file has one column per field."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import attrs


@attrs.frozen(kw_only=True)
class ChargeRow:
    """What the provider charges for one unit, whoever pays.

    Attributes:
        code: procedure code.
        modifier: modifier for which another charge holds, or empty.
        charge: charge for one unit.
        text: own short description that documents print, or empty.
        licensed: true where the code belongs to a licensed set and the licence is the user's own.
    """

    code: str
    modifier: str = ""
    charge: Fraction
    text: str = ""
    licensed: bool = False


@attrs.frozen(kw_only=True)
class FeeRow:
    """What a contract allows for one unit.

    Attributes:
        code: procedure code.
        modifier: modifier for which another fee holds, or empty.
        fee: fee for one unit.
        multiple: rule for several procedures of a day, as in the federal schedule: ``0`` none, ``2`` ranked, ``3`` endoscopy.
        bilateral: rule for both sides: ``0`` one fee, ``1`` 150 %, ``2`` both sides are in the fee, ``3`` 200 %, ``9`` none.
        family: base code of its endoscopy family, or empty.
        licensed: true where the code belongs to a licensed set and the licence is the user's own.
    """

    code: str
    modifier: str = ""
    fee: Fraction
    multiple: str = "0"
    bilateral: str = "0"
    family: str = ""
    licensed: bool = False


@attrs.frozen(kw_only=True)
class ValueRow:
    """Relative values of one procedure, as the file of the federal physician fee schedule has them.

    Attributes:
        hcpcs: procedure code.
        mod: ``TC``, ``26`` or ``53`` for a row of its own, or empty.
        status_code: ``A`` and ``R`` are priced, ``T`` only where nothing else is payable that day; others are not.
        not_used_for_medicare: mark of the file.
        work_rvu: work.
        nonfac_pe_rvu: practice expense outside of a facility.
        nonfac_na_ind: ``NA`` where it is not done there.
        fac_pe_rvu: practice expense in a facility.
        fac_na_ind: ``NA`` where it is not done there.
        mp_rvu: malpractice.
        nonfac_total: sum, as printed.
        fac_total: sum, as printed.
        pctc_ind: whether it has a professional and a technical part.
        glob_days: days of the global package.
        pre_op: share of the package before the operation.
        intra_op: share of the operation.
        post_op: share after it.
        mult_proc: rule for several procedures: 0 none, 2 surgery, 3 endoscopy, 4 imaging, 5 therapy, 6 heart, 7 eye.
        bilat_surg: rule for both sides.
        asst_surg: whether an assistant is paid.
        co_surg: whether a second surgeon is paid.
        team_surg: whether a team is paid.
        endo_base: base code of its endoscopy family.
        conv_factor: conversion factor of the file.
        phys_supervision: supervision that diagnostic tests need.
        calc_flag: mark of the file.
        imaging_family: family of diagnostic imaging.
        opps_nonfac_pe: cap by the outpatient schedule, as printed.
        opps_fac_pe: cap by the outpatient schedule, as printed.
        opps_mp: cap by the outpatient schedule, as printed.
        licensed: true where the code belongs to a licensed set and the licence is the user's own.
    """

    hcpcs: str
    mod: str = ""
    status_code: str = "A"
    not_used_for_medicare: str = ""
    work_rvu: Fraction
    nonfac_pe_rvu: Fraction
    nonfac_na_ind: str = ""
    fac_pe_rvu: Fraction
    fac_na_ind: str = ""
    mp_rvu: Fraction
    nonfac_total: Fraction | None = None
    fac_total: Fraction | None = None
    pctc_ind: str = ""
    glob_days: str = ""
    pre_op: Fraction = Fraction(0)
    intra_op: Fraction = Fraction(0)
    post_op: Fraction = Fraction(0)
    mult_proc: str = "0"
    bilat_surg: str = "0"
    asst_surg: str = ""
    co_surg: str = ""
    team_surg: str = ""
    endo_base: str = ""
    conv_factor: Fraction | None = None
    phys_supervision: str = ""
    calc_flag: str = ""
    imaging_family: str = ""
    opps_nonfac_pe: Fraction | None = None
    opps_fac_pe: Fraction | None = None
    opps_mp: Fraction | None = None
    licensed: bool = False


@attrs.frozen(kw_only=True)
class LocalityRow:
    """Geographic factors of one payment locality.

    Attributes:
        mac: number of the contractor.
        state: state.
        locality: number of the locality there.
        locality_name: its name.
        work_gpci: factor of work, with its floor.
        pe_gpci: factor of practice expense.
        mp_gpci: factor of malpractice.
    """

    mac: str
    state: str = ""
    locality: str
    locality_name: str = ""
    work_gpci: Fraction
    pe_gpci: Fraction
    mp_gpci: Fraction


@attrs.frozen(kw_only=True)
class FactorRow:
    """A conversion factor for some dates; since 2026 it also depends on who bills.

    Attributes:
        starts_on: first date of service.
        ends_on: the date after the last, empty for open end.
        participant: ``any``, or ``qualifying`` or ``other`` where the factor depends on it.
        factor: dollars for one relative value unit.
    """

    starts_on: date
    ends_on: date | None = None
    participant: str = "any"
    factor: Fraction
