"""Which files of a folder are pictures."""

from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from dlproj.data.digits import load_digits
from tests.support.own_images import TRAIN

ENDINGS = {
    *("png", "bmp", "gif", "webp", "tif", "tiff", "pgm", "pbm", "ppm"),
    *("jpg", "jpeg", "jpe", "jfif", "heic", "avif"),
}


def test_pictures_are_known_by_any_of_their_endings(tmp_path: Path) -> None:
    """Small or large; what is in them is looked at later."""
    picture = Image.fromarray(255 - np.pad(TRAIN[0][0], 10)).resize((144, 144))
    for label, ending, other in product("01", ENDINGS, (str.lower, str.upper)):
        path = tmp_path / label / f"{other is str.upper}.{other(ending)}"
        path.parent.mkdir(exist_ok=True)
        picture.save(path, "PNG")
    (tmp_path / "0" / "notes.txt").write_text("no picture")
    (tmp_path / "1" / ".hidden.png").write_text("no picture")
    digits = load_digits(folder=tmp_path)
    assert len(digits.train) + len(digits.test) == 4 * len(ENDINGS)
    assert not any("passed over" in remark for remark in digits.notes.remarks)
