"""Types a line and Tab into an interactive shell, and prints what the line is then: python type-tab.py SHELL LINE..."""

import os
import pty
import sys

shell, *lines = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(shell, [shell, *(["--noprofile"] if shell == "bash" else []), "-i"])


def typed(text: str, until: str) -> str:
    os.write(terminal, text.encode())
    seen = ""
    while until not in seen:
        seen += os.read(terminal, 65536).decode(errors="replace")
    return seen


# The marks are put together by the shell, so that their echo while they are typed is not taken for them.
typed("printf '%s%s\\n' REA DY\r", "READY\r\n")
for line in lines:
    # Ctrl-A goes to the beginning of the completed line, which then is an argument.
    seen = typed(f"{line}\t\x01printf '%s%s%sEND\\n' BE GIN \"\x05\"\r", "END\r\n")
    print(seen.rsplit("BEGIN", 1)[1].split("END\r\n")[0])
os.close(terminal)
# A shell that loses its terminal still writes its history.
os.waitpid(pid, 0)
