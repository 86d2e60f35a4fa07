"""Text of others on the user's terminal: what would move the cursor or turn the reading direction is shown, not obeyed."""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return text with its control characters written out as escapes; line ends and tabs stay.

    A name in a file can hold the commands of a terminal, which hide a line, change a figure on the screen or turn what follows.
    """
    if text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: found.group().encode("unicode_escape").decode(), text.replace("\r\n", "\n"))
