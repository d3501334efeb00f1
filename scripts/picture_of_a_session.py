"""Record a real session of dlproj on a terminal as a picture: docs/figures/session.svg.

Usage: .venv/bin/python scripts/picture_of_a_session.py [FILE]   (about half a minute)
"""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console  # noqa: TID251 - not a part of dlproj
from rich.terminal_theme import TerminalTheme  # noqa: TID251
from rich.text import Text  # noqa: TID251

COMMANDS = (
    "dlproj train-digits --lr 0.02 --momentum 0.92",
    "dlproj attack --epsilon 0.1",
    "dlproj predict-langid through mañana szczęście",
)
WIDTH, LINES = 72, 60  # characters
PICTURE = Path(__file__).parents[1] / "docs/figures/session.svg"
THEME = TerminalTheme(
    (27, 31, 40),
    (216, 222, 233),
    [
        (59, 66, 82),
        (240, 113, 120),
        (139, 213, 156),
        (242, 201, 125),
        (122, 170, 240),
        (199, 146, 234),
        (110, 205, 215),
        (216, 222, 233),
    ],
)
# Rich's own template fetches a font; this one takes whatever the reader has.
TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>A session of dlproj</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas,
  "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: {char_height}px;
  line-height: {line_height}px; white-space: pre; }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Run the commands one after the other in a new folder, and draw what they wrote."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        console = Console(width=WIDTH, record=True, file=nowhere, force_terminal=True)
        for index, command in enumerate(COMMANDS):
            console.print("\n" * bool(index) + "[bold green]$[/] [bold]" + command, highlight=False)
            console.print(Text.from_ansi(on_a_terminal(command, folder).rstrip()))
        svg = console.export_svg(
            title="dlproj", theme=THEME, code_format=TEMPLATE, unique_id="session"
        )
    picture.write_text(svg.replace(" \n", "\n"), encoding="utf-8")


def on_a_terminal(command: str, folder: str) -> str:
    """What a command writes on a terminal, with its colours; of a progress bar, the last state."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, WIDTH, 0, 0))
    program, *flags = shlex.split(command)
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    process = subprocess.Popen(  # noqa: S603 - the commands above
        [sys.executable, "-m", program, *flags],
        cwd=folder,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    written = b""
    try:
        while block := os.read(controller, 65536):
            written += block
    except OSError:  # how a terminal ends on Linux
        pass
    os.close(controller)
    if process.wait() != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return last_state(written.decode())


def last_state(written: str) -> str:
    """Text without what was overwritten: a progress bar starts its line anew each time."""
    shown = re.sub(r"\x1b\[\?25[lh]", "", written.replace("\r\n", "\n"))
    lines = [re.split(r"\r(?:\x1b\[2?K)?", line)[-1] for line in shown.split("\n")]
    return "\n".join(line.expandtabs() for line in lines)


if __name__ == "__main__":
    main()
