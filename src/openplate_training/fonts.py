"""What plates are lettered with: free fonts, where they are found and under which licence, and drawn letterforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ImageFont

from openplate_training.letterforms import STYLES, DrawnFont, draw

Mask = npt.NDArray[np.uint8]
Font = Path | DrawnFont
"""A font's file, or a style of drawn letters as one maker cuts it."""
DRAWN_VARIANTS = 24

DEBIAN_FOLDERS = (Path("/usr/share/fonts/truetype"), Path("/usr/share/fonts/opentype"))


@dataclass(frozen=True)
class FontPackage:
    """A package of fonts. ``patterns`` are globs below a fonts folder; each is one family, drawn equally often."""

    package: str
    source: str
    licence: str
    patterns: tuple[str, ...]


def _npm(name: str, licence: str = "OFL-1.1") -> FontPackage:
    return FontPackage(f"@fontsource/{name}", "npm", licence, (f"{name}/files/{name}-latin-[4567]00-normal.woff",))


PACKAGES = (
    FontPackage("fonts-roadgeek", "Debian", "MIT", tuple(f"roadgeek/RG2014{w}.ttf" for w in "BCDEF")),
    FontPackage(
        "fonts-routed-gothic",
        "Debian",
        "OFL-1.1",
        ("routed-gothic/routed-gothic.ttf", "routed-gothic/routed-gothic-narrow.ttf"),
    ),
    FontPackage("fonts-national-park", "Debian", "OFL-1.1", ("national-park/NationalPark-[RH]e*.otf",)),
    FontPackage("fonts-bebas-neue", "Debian", "OFL-1.1", ("bebas-neue/BebasNeue-[BR]*.otf",)),
    FontPackage("fonts-allerta", "Debian", "OFL-1.1", ("allerta/allerta_medium.otf",)),
    FontPackage(
        "fonts-dejavu-core",
        "Debian",
        "Bitstream Vera licence",
        ("dejavu/DejaVuSans-Bold.ttf", "dejavu/DejaVuSansMono-Bold.ttf"),
    ),
    FontPackage(
        "fonts-liberation",
        "Debian",
        "GPL-2 with font exception",
        ("liberation/LiberationSans-Bold.ttf", "liberation/LiberationSansNarrow-Bold.ttf"),
    ),
    FontPackage("fonts-lato", "Debian", "OFL-1.1", ("lato/Lato-Bold.ttf", "lato/Lato-Heavy.ttf")),
    *(
        _npm(name)
        for name in (
            *("alumni-sans", "anton", "archivo-narrow", "b612-mono", "barlow-condensed", "barlow-semi-condensed"),
            *("big-shoulders-display", "chakra-petch", "economica", "fjalla-one", "ibm-plex-mono"),
            *("ibm-plex-sans-condensed", "jost", "khand", "league-gothic", "m-plus-rounded-1c", "oswald"),
            *("overpass", "overpass-mono", "pathway-gothic-one", "pragati-narrow", "pt-sans-caption"),
            *(
                "pt-sans-narrow",
                "rajdhani",
                "red-hat-mono",
                "roboto-condensed",
                "russo-one",
                "saira-condensed",
                "share-tech-mono",
            ),
            *("sofia-sans-condensed", "sofia-sans-extra-condensed", "space-mono", "squada-one", "staatliches"),
            *("strait", "teko", "tomorrow", "varela-round"),
        )
    ),
    _npm("mohave", "MIT"),
)


def find_families(folders: Sequence[Path]) -> list[list[Path]]:
    """The font files of each family that is installed, in the order of ``PACKAGES``.

    ``folders`` are looked through besides Debian's: for npm packages the folder ``node_modules/@fontsource``.

    Raises:
        FileNotFoundError: there is none; the message says what to install.
    """
    roots = [*DEBIAN_FOLDERS, *folders]
    families = [
        files
        for package in PACKAGES
        for pattern in package.patterns
        if (files := sorted(file for root in roots for file in root.glob(pattern)))
    ]
    if not families:
        debian = " ".join(p.package for p in PACKAGES if p.source == "Debian")
        raise FileNotFoundError(f"no fonts to draw plates with were found; on Debian: apt-get install {debian}")
    return families


def drawn_families() -> dict[str, list[DrawnFont]]:
    """The drawn letterforms by the name of their style, each in many variants."""
    return {style: [DrawnFont(style, variant) for variant in range(DRAWN_VARIANTS)] for style in STYLES}


@dataclass(frozen=True)
class Glyph:
    """A character's mask (0 to 255) and the distance of its top from the baseline, upwards, in pixels."""

    mask: Mask
    rise: int


GLYPH_SIZE = 90


@cache
def _font(file: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(file), GLYPH_SIZE)


@cache
def glyph(font: Font, character: str) -> Glyph:
    """One character: of a font's file at ``GLYPH_SIZE`` pixels, of a drawn one with capitals about as high."""
    if isinstance(font, DrawnFont):
        mask = draw(font, character)
        return Glyph(mask, mask.shape[0])
    return _glyph_of_file(font, character)


def _glyph_of_file(file: Path, character: str) -> Glyph:
    font = _font(file)
    drawn = font.getmask(character, "L")
    width, height = drawn.size
    mask = np.array(drawn, np.uint8).reshape(height, width)
    return Glyph(mask, -int(font.getbbox(character, anchor="ls")[1]))
