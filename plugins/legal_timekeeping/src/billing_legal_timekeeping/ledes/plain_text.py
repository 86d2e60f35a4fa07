"""Texts as a receiver can read them: what the format or the character set forbids is taken out or written otherwise."""

from __future__ import annotations

import unicodedata

from billing_legal_timekeeping.ledes.layout import END, SEPARATOR
from billing_legal_timekeeping.ledes.profile import Charset

_OTHERWISE = str.maketrans(
    {
        "\u2018": "'",  # left single quotation mark
        "\u2019": "'",  # right single quotation mark
        "\u201a": "'",  # single low-9 quotation mark
        "\u201c": '"',  # left double quotation mark
        "\u201d": '"',  # right double quotation mark
        "\u201e": '"',  # double low-9 quotation mark
        "\u00ab": '"',  # left-pointing double angle quotation mark
        "\u00bb": '"',  # right-pointing double angle quotation mark
        "\u2013": "-",  # en dash
        "\u2014": "-",  # em dash
        "\u2212": "-",  # minus sign
        "\u2026": "...",  # horizontal ellipsis
        "\u00a0": " ",  # no-break space
        "\u202f": " ",  # narrow no-break space
        "\u2022": "*",  # bullet
        "\u00b7": "-",  # middle dot
        "\u20ac": "EUR",  # euro sign
        "\u00a3": "GBP",  # pound sign
        "\u00df": "ss",  # latin small letter sharp s
        "\u00e6": "ae",  # latin small letter ae
        "\u00c6": "AE",  # latin capital letter ae
        "\u00f8": "o",  # latin small letter o with stroke
        "\u00d8": "O",  # latin capital letter o with stroke
        "\u00d7": "x",  # multiplication sign
        "\u00a7": "sec. ",  # section sign
        "\u00bd": "1/2",  # vulgar fraction one half
        "\u00bc": "1/4",  # vulgar fraction one quarter
        "\u00be": "3/4",  # vulgar fraction three quarters
    }
)


def plain_text(text: str, charset: Charset, size: int) -> str:
    """Return a text without separators, line ends and the end mark of a line, in the receiver's characters, cut to its size.

    Letters with accents become plain ones and quotes straight ones where the character set has them not; what is left over
    becomes a question mark.
    """
    text = " ".join(_encodable(text, charset).replace(SEPARATOR, "/").split())
    while END in text:
        text = text.replace(END, "")
    return text[:size].strip()


def _encodable(text: str, charset: Charset) -> str:
    if charset is Charset.UTF8:
        return text
    written = []
    for letter in text:
        if _can(letter, charset):
            written.append(letter)
            continue
        other = letter.translate(_OTHERWISE)
        if not _can(other, charset):
            other = "".join(part for part in unicodedata.normalize("NFKD", letter) if _can(part, charset))
        written.append(other or "?")
    return "".join(written)


def _can(text: str, charset: Charset) -> bool:
    try:
        text.encode(charset.value)
    except UnicodeEncodeError:
        return False
    return True
