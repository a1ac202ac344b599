"""Runs a command on a terminal of its own, until it has drawn its screen twice and shows a text; then presses Ctrl-C.

usage: terminal.py TEXT COMMAND...

Prints {"screens": [the text of each whole screen], "exit": the exit code, or less than 0 and the signal}.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

CLEAR = "\x1b[H\x1b[J"
CTRL_C = b"\x03"
PATIENCE_SECONDS = 120


def read(terminal, deadline):
    """What was written next; nothing once the command is gone."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        return None
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux' way to say that nobody holds the other end any more
        return b""


def main():
    text, command = sys.argv[1], sys.argv[2:]
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    deadline = time.monotonic() + PATIENCE_SECONDS
    written, screens, interrupted = b"", [], False
    while chunk := read(terminal, deadline):
        written += chunk
        # the last one may be drawn in part
        screens = written.decode(errors="replace").split(CLEAR)[1:-1]
        if not interrupted and len(screens) >= 2 and text in screens[-1]:
            os.write(terminal, CTRL_C)
            interrupted = True
    if chunk is None:
        os.kill(process, 9)
        os.waitpid(process, 0)
        sys.exit(f"it did not end within {PATIENCE_SECONDS} s; it wrote {written!r}")
    _, status = os.waitpid(process, 0)
    print(json.dumps({"screens": screens, "exit": os.waitstatus_to_exitcode(status)}))


main()
