"""Pictures of digits as pens, phones and scanners make them, drawn from MNIST's images."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Array = NDArray[np.float64]
PAPER, INK = 0.92, 0.16


@dataclass
class Scene:
    """What is drawn: where the ink is, on how bright a paper, in what light.

    Args:
        ink: (height, width) in [0, 1], how much of each pixel is covered with ink.
        rng: draws whatever is random.
        wild: draw sizes, ink and noise from wider ranges.
    """

    ink: Array
    rng: np.random.Generator
    wild: bool
    paper: Array = field(init=False)
    dark: float = INK

    def __post_init__(self) -> None:
        self.paper = np.full(self.ink.shape, PAPER)
        if self.wild:
            self.paper -= self.rng.uniform(0, 0.15)
            self.dark += self.rng.uniform(-0.1, 0.15)

    @property
    def places(self) -> tuple[Array, Array]:
        """Row and column of each pixel, in [0, 1]."""
        height, width = self.ink.shape
        rows, columns = np.mgrid[0:height, 0:width]
        return rows / height, columns / width

    def grey(self, light: Array | float = 1.0) -> Array:
        """Brightness in [0, 1], with the noise of a camera."""
        clean = (self.paper * (1 - self.ink) + self.dark * self.ink) * light
        deviation = self.rng.uniform(0, 0.02) if self.wild else 0.01
        return np.clip(clean + self.rng.normal(0, deviation, clean.shape), 0, 1)


def draw(digits: list[Array], rng: np.random.Generator, *, wild: bool = False) -> Scene:
    """MNIST's digits (28, 28) in [0, 1] enlarged, side by side, on a sheet."""
    side = int(rng.integers(150, 500)) if wild else 290
    margin = int(side * rng.uniform(0.1, 0.6)) if wild else 55
    large = [enlarge(digit, side) for digit in digits]
    sheet = np.pad(np.concatenate(large, axis=1), margin)
    if wild:
        shift = rng.integers(-margin // 2, margin // 2 + 1, 2)
        sheet = np.roll(sheet, tuple(shift), (0, 1))
    return Scene(sheet, rng, wild)


def enlarge(digit: Array, side: int, sharpness: float = 2.5) -> Array:
    """A digit with the sharp edges of a pen."""
    smooth = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
    return np.clip((smooth - 0.5) * sharpness + 0.5, 0, 1)


def eight_bits(brightness: Array) -> Image.Image:
    """A picture of 8 bits a channel: grey (height, width), or colours (height, width, 3)."""
    return Image.fromarray(np.round(np.clip(brightness, 0, 1) * 255).astype(np.uint8))


def lines(scene: Scene, *, across: bool, darkness: float, spacing: float) -> None:
    """Rule the paper: each line is a pixel or two wide."""
    height, width = scene.ink.shape
    step = int(spacing * scene.rng.uniform(0.8, 1.3))
    thickness = max(1, round(min(height, width) / 350))
    for start in range(int(scene.rng.integers(step)), width if across else height, step):
        place = np.s_[:, start : start + thickness] if across else np.s_[start : start + thickness]
        scene.paper[place] *= 1 - darkness


def plain(scene: Scene) -> Image.Image:
    return eight_bits(scene.grey())


def chalkboard(scene: Scene) -> Image.Image:
    scene.paper[:], scene.dark = 0.16, 0.9
    return eight_bits(scene.grey())


def coloured(scene: Scene, ink: tuple[float, ...], paper: tuple[float, ...]) -> Image.Image:
    share = scene.ink[:, :, None]
    light = np.asarray(paper) * (1 - share) + np.asarray(ink) * share
    return eight_bits(light + scene.rng.normal(0, 0.01, light.shape))


def blue_ink(scene: Scene) -> Image.Image:
    return coloured(scene, (0.15, 0.2, 0.6), (0.93, 0.93, 0.9))


def pencil(scene: Scene, light: float = 1.0) -> Image.Image:
    scene.dark = float(scene.paper.mean()) * scene.rng.uniform(0.7, 0.82)
    return eight_bits(scene.grey(light))


def ruled(scene: Scene, *, darkness: float, grid: bool) -> Image.Image:
    spacing = min(scene.ink.shape) / scene.rng.uniform(6, 12)
    lines(scene, across=False, darkness=darkness, spacing=spacing)
    if grid:
        lines(scene, across=True, darkness=darkness, spacing=spacing)
    return eight_bits(scene.grey())


def dark_blue(scene: Scene, *, grid: bool) -> Image.Image:
    """Ruling nearly as dark as the ink."""
    return ruled(scene, darkness=scene.rng.uniform(0.55, 0.75), grid=grid)


def rotated(scene: Scene, degrees: float = 18) -> Image.Image:
    scene.ink = ndimage.rotate(
        scene.ink, degrees * scene.rng.choice([-1, 1]), reshape=False, order=1
    )
    return plain(scene)


def clear(scene: Scene, ink: int) -> Image.Image:
    """Ink of one brightness on nothing: only the opacity tells where it is."""
    alpha = eight_bits(scene.ink)
    shade = Image.new("L", alpha.size, ink)
    return Image.merge("RGBA", (shade, shade, shade, alpha))


def sixteen_bits(scene: Scene) -> Image.Image:
    return Image.fromarray((scene.grey() * 65535).astype(np.uint16))


def floating(scene: Scene) -> Image.Image:
    return Image.fromarray(scene.grey().astype(np.float32))


def hard_shadow(scene: Scene) -> Image.Image:
    rows, columns = scene.places
    rows, columns = (v if scene.rng.random() < 0.5 else 1 - v for v in (rows, columns))
    shaded = rows + columns < scene.rng.uniform(0.5, 0.95)
    return eight_bits(scene.grey(np.where(shaded, scene.rng.uniform(0.5, 0.65), 1)))


def soft_shadow(scene: Scene) -> Image.Image:
    rows, columns = scene.places
    across = columns if scene.rng.random() < 0.5 else rows
    across = across if scene.rng.random() < 0.5 else 1 - across
    edge, width = scene.rng.uniform(0.2, 0.45), scene.rng.uniform(0.02, 0.06)
    return eight_bits(scene.grey(1 - 0.5 / (1 + np.exp((across - edge) / width))))


def falling_light(scene: Scene, least: float) -> Image.Image:
    rows, columns = scene.places
    angle = scene.rng.uniform(0, 2 * np.pi)
    along = (columns - 0.5) * np.cos(angle) + (rows - 0.5) * np.sin(angle)
    along = (along - along.min()) / np.ptp(along)
    return eight_bits(scene.grey(least + (1 - least) * along))


def dust(scene: Scene) -> Image.Image:
    height, width = scene.ink.shape
    size = max(2, min(height, width) // 100)
    for _ in range(scene.rng.integers(20, 40)):
        top, left = scene.rng.integers(height), scene.rng.integers(width)
        scene.ink[top : top + size, left : left + size] = 1
    return plain(scene)


def dark_border(scene: Scene) -> Image.Image:
    thick = int(min(scene.ink.shape) * scene.rng.uniform(0.02, 0.06))
    grey = scene.grey()
    inside = np.zeros_like(grey, bool)
    inside[thick:-thick, thick:-thick] = True
    return eight_bits(np.where(inside, grey, 0.08))


def inset_border(scene: Scene) -> Image.Image:
    place = int(min(scene.ink.shape) * scene.rng.uniform(0.03, 0.08))
    thick = max(2, min(scene.ink.shape) // 150)
    frame = np.zeros_like(scene.ink, bool)
    frame[place:-place, place:-place] = True
    frame[place + thick : -place - thick, place + thick : -place - thick] = False
    scene.ink[frame] = 1
    return plain(scene)


def table_edge(scene: Scene) -> Image.Image:
    """The paper ends inside the picture, a little askew, and a dark table shows."""
    rows, columns = scene.places
    if scene.rng.random() < 0.5:
        rows, columns = columns, rows
    edge = scene.rng.uniform(0.06, 0.13) + scene.rng.uniform(-0.06, 0.06) * (columns - 0.5)
    table = scene.rng.uniform(0.1, 0.4)
    return eight_bits(np.where(rows < edge, table, scene.grey()))


def dark_table(scene: Scene) -> Image.Image:
    """The paper lies whole on a dark table."""
    ink = np.pad(scene.ink, int(min(scene.ink.shape) * scene.rng.uniform(0.15, 0.4)))
    paper = np.pad(np.ones_like(scene.ink), (len(ink) - len(scene.ink)) // 2)
    degrees = scene.rng.uniform(-8, 8)
    ink, paper = (ndimage.rotate(a, degrees, reshape=False, order=1) for a in (ink, paper))
    scene.ink = ink
    scene.paper = paper * PAPER + (1 - paper) * scene.rng.uniform(0.08, 0.3)
    return plain(scene)


def two_digits(scene: Scene) -> Image.Image:
    return plain(scene)


def blank(scene: Scene) -> Image.Image:
    """Nothing but light that falls off."""
    scene.ink[:] = 0
    return falling_light(scene, scene.rng.uniform(0.4, 0.8))


def blot(scene: Scene) -> Image.Image:
    """A round stain with a ragged edge."""
    rows, columns = scene.places
    angle = np.arctan2(rows - 0.5, columns - 0.5)
    waves = sum(
        scene.rng.uniform(0, 0.04) * np.sin(n * angle + scene.rng.uniform(0, 6)) for n in (2, 3, 5)
    )
    radius = scene.rng.uniform(0.12, 0.25) + waves
    scene.ink = (np.hypot(rows - 0.5, columns - 0.5) < radius).astype(float)
    return plain(scene)


def stroke(scene: Scene) -> Image.Image:
    """A line that lies: no digit is one."""
    rows, columns = scene.places
    slope, thick = scene.rng.uniform(-0.2, 0.2), scene.rng.uniform(0.01, 0.02)
    near = abs(rows - 0.5 - slope * (columns - 0.5)) < thick
    scene.ink = (near & (abs(columns - 0.5) < scene.rng.uniform(0.2, 0.35))).astype(float)
    return plain(scene)


def framed(scene: Scene, *, box: bool) -> Image.Image:
    """In a circle or a box, as exercises are numbered."""
    rows, columns = (abs(place - 0.5) for place in scene.places)
    far = np.maximum(rows, columns) if box else np.hypot(rows, columns)
    radius, thick = scene.rng.uniform(0.38, 0.45), scene.rng.uniform(0.01, 0.03)
    scene.ink[(far > radius - thick) & (far < radius)] = 1
    return plain(scene)


@dataclass(frozen=True)
class Kind:
    """A kind of picture, how many digits are in it, and the file that holds it."""

    make: Callable[[Scene], Image.Image]
    digits: int = 1
    suffix: str = ".png"


KINDS: dict[str, Kind] = {
    "plain": Kind(plain),
    "chalkboard": Kind(chalkboard),
    "blue ink": Kind(blue_ink),
    "faint pencil": Kind(pencil),
    "pencil at 80 % light": Kind(lambda scene: pencil(scene, 0.8)),
    "pencil at 70 % light": Kind(lambda scene: pencil(scene, 0.7)),
    "lined paper": Kind(lambda scene: ruled(scene, darkness=0.4, grid=False)),
    "grid paper": Kind(lambda scene: ruled(scene, darkness=0.25, grid=True)),
    "dark blue ruling": Kind(lambda scene: dark_blue(scene, grid=False)),
    "dark blue grid": Kind(lambda scene: dark_blue(scene, grid=True)),
    "turned by 18°": Kind(rotated),
    "CMYK": Kind(lambda scene: eight_bits(scene.grey()).convert("CMYK"), suffix=".tif"),
    "black on transparent": Kind(lambda scene: clear(scene, 0)),
    "white on transparent": Kind(lambda scene: clear(scene, 255)),
    "16-bit PNG": Kind(sixteen_bits),
    "16-bit TIFF": Kind(sixteen_bits, suffix=".tif"),
    "floating-point TIFF": Kind(floating, suffix=".tif"),
    "hard shadow": Kind(hard_shadow),
    "soft shadow": Kind(soft_shadow, suffix=".jpg"),
    "light falling to 60 %": Kind(lambda scene: falling_light(scene, 0.6)),
    "light falling to 45 %": Kind(lambda scene: falling_light(scene, 0.45)),
    "light falling to 25 %": Kind(lambda scene: falling_light(scene, 0.25)),
    "dust": Kind(dust),
    "dark border": Kind(dark_border),
    "inset border line": Kind(inset_border),
    "table edge": Kind(table_edge),
    "dark table around": Kind(dark_table),
    "two digits": Kind(two_digits, digits=2),
    "blank, light falling off": Kind(blank, digits=0),
    "blot": Kind(blot, digits=0),
    "lying line": Kind(stroke, digits=0),
    "in a circle": Kind(lambda scene: framed(scene, box=False)),
    "in a box": Kind(lambda scene: framed(scene, box=True)),
}
