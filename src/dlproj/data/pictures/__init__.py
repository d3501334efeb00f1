"""The user's own pictures of digits."""

from dlproj.data.pictures.files import Picture, flatten, open_picture
from dlproj.data.pictures.find import Digit, NoDigitError, find_digits, main_digit, read_picture

__all__ = [
    "Digit",
    "NoDigitError",
    "Picture",
    "find_digits",
    "flatten",
    "main_digit",
    "open_picture",
    "read_picture",
]
