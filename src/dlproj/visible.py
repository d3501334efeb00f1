"""Text from files, for people: as it is, with what would steer a terminal made visible."""

import re

# Control characters, what turns the direction of text round, line separators, lone surrogates.
STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""The text with each such character as its escape: a tab as `\t`, escape as `\x1b`."""
    return STEERING.sub(lambda found: SHORT.get(found[0]) or _escape(found[0]), text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
