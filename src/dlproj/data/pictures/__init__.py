"""The user's own pictures of digits."""

from dlproj.data.pictures.files import Picture, flatten, open_picture
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
    "candidates",
    "find_digits",
    "flatten",
    "main_digit",
    "open_picture",
    "read_picture",
]
