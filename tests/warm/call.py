"""Calls the script in a warm process: ``python -IS call.py SOCKET SCRIPT LOCALE ARGUMENT...``; see ``serve.py``.

It hands over what a process inherits and passes signals on. It ends as the called process ended: same exit code, same signal.
Where that would not be the same as starting the script, it starts the script: without a server, for variables that the
interpreter reads when it starts, with a terminal or a closed stream. It imports only what comes fast.
"""

import _signal as signal  # type: ignore[import-not-found]  # the modules in front of these two take longer to load
import _socket as socket
import os
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def as_text(words: list[str]) -> str:
    """Return words as a list of JSON; the module for it takes too long to load."""
    return "[" + ",".join('"' + "".join(map(_escaped, word)) + '"' for word in words) + "]"


def _escaped(letter: str) -> str:
    return letter if " " <= letter <= "~" and letter not in '"\\' else "".join(f"\\u{part:04x}" for part in _units(ord(letter)))


def _units(code: int) -> list[int]:
    return [code] if code < 0x10000 else [0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF)]


def is_plain(locale: str) -> bool:
    """Return whether a forked process is the same as a started one."""
    given = os.environ
    if any(name.startswith("PYTHON") for name in given):
        return False
    if (given.get("LC_ALL") or given.get("LC_CTYPE") or given.get("LANG", "")) != locale:
        return False
    try:
        return not any(os.isatty(number) or not os.fstat(number) for number in (0, 1, 2))
    except OSError:
        return False


def handed_over(connection: socket.socket, arguments: list[str]) -> None:
    """Send the call."""
    umask = os.umask(0)
    os.umask(umask)
    ignored = [number for number in range(1, 32) if number not in (9, 13, 19, 25) and signal.getsignal(number) == signal.SIG_IGN]
    names, texts = as_text(list(os.environ)), as_text(list(os.environ.values()))
    message = f"[{as_text(arguments)},{names},{texts},{umask},{ignored}]\n".encode()
    folder = os.open(".", os.O_RDONLY)
    descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (folder, 0, 1, 2))
    sent = connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
    while sent < len(message):
        sent += connection.send(message[sent:])


def told(connection: socket.socket) -> int:
    """Read a number that the server tells."""
    data = b""
    while not data.endswith(b"\n"):
        letter = connection.recv(1)
        if not letter:
            sys.stderr.write("the warm server has gone\n")
            sys.exit(70)
        data += letter
    return int(data)


def call(place: str, arguments: list[str]) -> int | None:
    """Run the script in a warm process; return its exit code, or below zero the signal that ended it; None without a server."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(place)
    except OSError:
        return None
    handed_over(connection, arguments)
    process = told(connection)
    for number in PASSED_ON:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: os.kill(process, number))
    return told(connection)


if __name__ == "__main__":
    place, script, locale, *words = sys.argv[1:]
    code = call(place, words) if is_plain(locale) else None
    if code is not None and code >= 0:
        os._exit(code)
    if code is not None:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os.execv(script, [script, *words])  # noqa: S606  in the place of this process, as it was called
