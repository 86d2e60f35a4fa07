"""Texts as a receiver can read them: what the format or the character set forbids is taken out or written otherwise."""

from __future__ import annotations

import unicodedata

from billing_legal_timekeeping.ledes.layout import END, SEPARATOR
from billing_legal_timekeeping.ledes.profile import Charset

_OTHERWISE = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "−": "-", "…": "...",
        "\u00a0": " ", "\u202f": " ", "•": "*", "·": "-", "€": "EUR", "£": "GBP", "ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o",
        "Ø": "O", "×": "x", "§": "sec. ", "½": "1/2", "¼": "1/4", "¾": "3/4",
    }
)  # fmt: skip


def plain_text(text: str, charset: Charset, size: int) -> str:
    """Return a text without separators, line ends and the end mark of a line, in the receiver's characters, cut to its size.

    Letters with accents become plain ones and quotes straight ones where the character set has them not; what is left over
    becomes a question mark.
    """
    text = " ".join(text.replace(SEPARATOR, "/").split())
    while END in text:
        text = text.replace(END, "")
    return _encodable(text, charset)[:size].strip()


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
