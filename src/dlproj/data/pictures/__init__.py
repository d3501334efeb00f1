"""The user's own pictures of digits."""

from dlproj.data.pictures.files import Picture, as_typed, flatten, open_picture
from dlproj.data.pictures.find import (
    Candidate,
    Digit,
    NoDigitError,
    candidates,
    find_digits,
    main_digit,
    read_picture,
)

__all__ = [
    "Candidate",
    "Digit",
    "NoDigitError",
    "Picture",
    "as_typed",
    "candidates",
    "find_digits",
    "flatten",
    "main_digit",
    "open_picture",
    "read_picture",
]
