"""More pictures of digits: further kinds, which `picture_kinds` does not have."""

import io

import numpy as np
from picture_kinds import Array, Kind, Scene, coloured, eight_bits, plain
from PIL import Image
from scipy import ndimage


def blurred_noise(scene: Scene, width: float) -> Array:
    """A random field of mean 0 and deviation 1, that changes over so many pixels."""
    field = ndimage.gaussian_filter(scene.rng.normal(0, 1, scene.ink.shape), width)
    return (field - field.mean()) / field.std()


def ballpoint(scene: Scene) -> Image.Image:
    """A thin blue line on yellow paper."""
    solid = scene.ink > 0.5
    thin = ndimage.binary_erosion(solid, iterations=max(1, scene.ink.shape[0] // 60))
    ridge = ndimage.gaussian_filter((solid ^ thin).astype(float), 0.7)
    scene.ink = np.clip(ridge, 0, 1) if scene.wild else scene.ink
    return coloured(scene, (0.15, 0.2, 0.55), (0.96, 0.9, 0.55))


def highlighter(scene: Scene) -> Image.Image:
    return coloured(scene, (0.97, 0.96, 0.3), (0.96, 0.96, 0.95))


def red_on_white(scene: Scene) -> Image.Image:
    return coloured(scene, (0.85, 0.15, 0.15), (0.95, 0.95, 0.95))


def dark_mode(scene: Scene) -> Image.Image:
    return coloured(scene, (0.55, 0.75, 0.95), (0.11, 0.12, 0.15))


def margin_line(scene: Scene) -> Image.Image:
    """A red margin from top to bottom."""
    width = scene.ink.shape[1]
    left = int(width * scene.rng.uniform(0.08, 0.15))
    picture = np.asarray(coloured(scene, (0.15, 0.15, 0.2), (0.94, 0.94, 0.92))).copy()
    picture[:, left : left + max(2, width // 200)] = (220, 90, 90)
    return Image.fromarray(picture)


def crumpled(scene: Scene) -> Image.Image:
    """Folds that throw soft shadows."""
    folds = blurred_noise(scene, min(scene.ink.shape) / 18)
    return eight_bits(scene.grey(np.clip(1 - 0.09 * abs(folds), 0, 1)))


def texture(scene: Scene) -> Image.Image:
    """Coarse paper."""
    scene.paper *= np.clip(1 + 0.03 * blurred_noise(scene, 1.5), 0, 1.08)
    return plain(scene)


def artefacts(scene: Scene) -> Image.Image:
    """Saved as JPEG of low quality."""
    buffer = io.BytesIO()
    plain(scene).save(buffer, "JPEG", quality=12)
    return Image.open(buffer).convert("L")


def marker(scene: Scene) -> Image.Image:
    """A thick pen."""
    scene.ink = ndimage.grey_dilation(scene.ink, size=max(3, min(scene.ink.shape) // 45))
    return plain(scene)


def tiny(scene: Scene) -> Image.Image:
    """A digit on a large page."""
    small = ndimage.zoom(scene.ink, 160 / min(scene.ink.shape), order=1).clip(0, 1)
    page = np.zeros((1400, 1000))
    top, left = scene.rng.integers(100, 1200), scene.rng.integers(100, 800)
    page[top : top + small.shape[0], left : left + small.shape[1]] = small
    return plain(Scene(page, scene.rng, scene.wild))


def perspective(scene: Scene) -> Image.Image:
    """A photo from the side, with a warm cast."""
    height, width = scene.ink.shape
    shift = 0.12 * scene.rng.uniform(-1, 1, 2)
    coefficients = (
        1 + abs(shift[0]),
        shift[0] * 0.5,
        -abs(shift[0]) * width / 2,
        shift[1] * 0.5,
        1 + abs(shift[1]),
        -abs(shift[1]) * height / 2,
        shift[0] / width,
        shift[1] / height,
    )
    turned = Image.fromarray(scene.ink.astype(np.float32)).transform(
        (width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
    )
    scene.ink = np.asarray(turned, np.float64)
    return coloured(scene, (0.2, 0.16, 0.12), (0.9, 0.8, 0.62))


def gap(scene: Scene) -> Image.Image:
    """The pen skipped: a band of the digit is missing."""
    rows, _ = np.nonzero(scene.ink > 0.5)
    place = int(np.percentile(rows, scene.rng.uniform(25, 75)))
    scene.ink[place : place + max(2, int(0.04 * np.ptp(rows)))] = 0
    return plain(scene)


def vignette(scene: Scene) -> Image.Image:
    rows, columns = scene.places
    return eight_bits(scene.grey(1 - 1.1 * ((rows - 0.5) ** 2 + (columns - 0.5) ** 2)))


def strong_noise(scene: Scene) -> Image.Image:
    grey = scene.grey()
    return eight_bits(grey + scene.rng.normal(0, 0.08, grey.shape))


def black_and_white(scene: Scene) -> Image.Image:
    """A scan of one bit a pixel, with its dots."""
    grey = scene.grey() + scene.rng.normal(0, 0.14, scene.ink.shape)
    return Image.fromarray(grey > 0.5)


def binding(scene: Scene) -> Image.Image:
    """The dark fold of a book at one side."""
    _, columns = scene.places
    return eight_bits(scene.grey(1 - 0.75 * np.exp(-columns / 0.09)))


def hand_shadow(scene: Scene) -> Image.Image:
    """A round shadow with a soft edge that reaches into the picture."""
    rows, columns = scene.places
    distance = np.hypot(rows - scene.rng.uniform(0.8, 1.1), columns - scene.rng.uniform(0.2, 0.8))
    shadow = 1 / (1 + np.exp((distance - scene.rng.uniform(0.3, 0.5)) / 0.02))
    return eight_bits(scene.grey(1 - 0.45 * shadow))


def out_of_focus(scene: Scene) -> Image.Image:
    scene.ink = ndimage.gaussian_filter(scene.ink, min(scene.ink.shape) / 80)
    return plain(scene)


def cut_out(scene: Scene) -> Image.Image:
    """Nothing but the digit, up to its edges."""
    rows, columns = np.nonzero(scene.ink > 0.5)
    scene.ink = scene.ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return plain(Scene(scene.ink, scene.rng, scene.wild))


def stamp(scene: Scene) -> Image.Image:
    """A frame around the digit, a little broken, as stamps leave it."""
    height, width = scene.ink.shape
    place, thick = int(0.1 * min(height, width)), max(2, min(height, width) // 90)
    frame = np.zeros_like(scene.ink)
    frame[place:-place, place:-place] = 1
    frame[place + thick : -place - thick, place + thick : -place - thick] = 0
    scene.ink = np.maximum(scene.ink, frame * (blurred_noise(scene, 3) > -1))
    return plain(scene)


def sloping_lines(scene: Scene) -> Image.Image:
    """Ruled paper that lies askew."""
    rows, columns = scene.places
    slope = np.tan(np.radians(scene.rng.uniform(-6, 6)))
    spacing = scene.rng.uniform(0.09, 0.14)
    from_line = abs((rows - slope * columns) % spacing - spacing / 2)
    scene.paper *= 1 - 0.6 * np.clip(1.8 - from_line * len(rows), 0, 1)
    return plain(scene)


def small_file(scene: Scene) -> Image.Image:
    """An icon of 32 pixels."""
    return plain(scene).resize((32, 32), Image.Resampling.BOX)


def chalk(scene: Scene) -> Image.Image:
    """Chalk that leaves holes, on a board that was wiped."""
    scene.ink *= np.clip(0.8 + 0.3 * blurred_noise(scene, 1), 0, 1)
    scene.paper[:], scene.dark = 0.22, 0.85
    scene.paper *= 1 + 0.12 * blurred_noise(scene, 25)
    return plain(scene)


def five_digits(scene: Scene) -> Image.Image:
    return plain(scene)


def noise_only(scene: Scene) -> Image.Image:
    """A covered lens."""
    return eight_bits(0.1 + scene.rng.normal(0, 0.03, scene.ink.shape))


def letters(scene: Scene) -> Image.Image:
    """A word, printed: no digit."""
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415

    picture = Image.new("L", (400, 300), 235)
    word = scene.rng.choice(["A", "W", "Hmm", "Kx"])
    ImageDraw.Draw(picture).text((200, 150), word, 30, ImageFont.load_default(150), anchor="mm")
    return picture


MORE: dict[str, Kind] = {
    "ballpoint on yellow": Kind(ballpoint),
    "yellow highlighter": Kind(highlighter),
    "red pen": Kind(red_on_white),
    "dark mode": Kind(dark_mode, suffix=".webp"),
    "red margin line": Kind(margin_line),
    "crumpled paper": Kind(crumpled),
    "coarse paper": Kind(texture),
    "JPEG of quality 12": Kind(artefacts),
    "thick marker": Kind(marker),
    "tiny on a page": Kind(tiny),
    "from the side, warm": Kind(perspective, suffix=".jpg"),
    "a gap in the digit": Kind(gap),
    "vignetting": Kind(vignette),
    "strong noise": Kind(strong_noise),
    "black and white scan": Kind(black_and_white),
    "fold of a book": Kind(binding),
    "shadow of a hand": Kind(hand_shadow),
    "out of focus": Kind(out_of_focus),
    "cut out closely": Kind(cut_out),
    "stamp": Kind(stamp),
    "ruling askew": Kind(sloping_lines),
    "icon of 32 pixels": Kind(small_file),
    "chalk on a wiped board": Kind(chalk, suffix=".jpg"),
    "five digits": Kind(five_digits, digits=5),
    "noise alone": Kind(noise_only, digits=0),
    "letters": Kind(letters, digits=0),
}
