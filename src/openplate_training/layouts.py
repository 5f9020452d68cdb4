"""What plates of the world look like, as data: texts, shapes, colours, what else is printed on them.

Written from general knowledge of the countries' plates. Forms use L for a letter, D for a digit, | for a line break;
other characters stand for themselves, and those that are neither letter nor digit are printed but not read.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

Color = tuple[int, int, int]

WHITE, BLACK, YELLOW = (235, 235, 235), (20, 20, 20), (245, 200, 40)
GREY, PALE_GREY, RED, GREEN = (150, 152, 155), (175, 175, 170), (160, 30, 35), (60, 110, 90)
BLUE, ORANGE, CREAM = (30, 50, 120), (245, 190, 60), (250, 230, 170)


@dataclass(frozen=True)
class Layout:
    """One country's (or group's) plates.

    Attributes:
        region: code of the region table, None for a group of countries.
        weight: how often it is drawn, against the others.
        forms: of the text.
        aspects: range of width over height.
        schemes: pairs of ground and lettering.
        above, below: how often small words that are not read stand over and under the text (0 to 1).
        band: "left" for the blue band of the European Union, "top" for Mercosur's.
        may_break: whether a one-line form may be set on two lines.
        styles: drawn letterforms that are like those of these plates.
        own_style: how often they are lettered in one of these (0 to 1).
        rim: how often a broad white rim goes round the ground (0 to 1).
        even: how often 1 and I have as much room as other characters (0 to 1).
        first: the letters that texts begin with, as often as they stand here.
        parts: what tells the part of the country: its "name" printed large, the "code" that the text begins with.
    """

    region: str | None
    weight: float
    forms: tuple[str, ...]
    aspects: tuple[float, float]
    schemes: tuple[tuple[Color, Color], ...]
    above: float = 0.0
    below: float = 0.0
    band: str | None = None
    may_break: bool = False
    parts: str | None = None
    styles: tuple[str, ...] = ()
    rim: float = 0.0
    own_style: float = 0.6
    even: float = 0.4
    first: str = string.ascii_uppercase


_BLACK_ON_WHITE = (WHITE, BLACK)
# As far as series had been issued when the plates changed to Mercosur's and to this day; the rest seldom.
_BRAZIL_FIRST = "ABCDEFGHIJKLMNOP" * 3 + "QR" * 2 + "STUVWXYZ"
_ARGENTINA_FIRST = "A" * 26 + string.ascii_uppercase

LAYOUTS = (
    Layout(
        "br",
        0.24,
        (*("LLL·DDDD",) * 4, "LLL-DDDD", "LLL DDDD"),
        (2.5, 3.2),
        ((GREY, BLACK), (PALE_GREY, (60, 60, 60)), (RED, WHITE), (GREY, WHITE), (GREEN, WHITE), _BLACK_ON_WHITE),
        above=0.95,
        styles=("mandatory", "mandatory", "din"),
        own_style=0.85,
        even=0.9,
        first=_BRAZIL_FIRST,
    ),
    Layout(
        "br",
        0.04,
        ("LLLDLDD", "LLL DLDD"),
        (2.8, 3.2),
        (_BLACK_ON_WHITE,),
        band="top",
        styles=("fe",),
        even=0.7,
        first=_BRAZIL_FIRST,
    ),
    Layout(
        "ar",
        0.12,
        (*("LLL  DDD", "LLL  DDD", "LLL DDD", "LLL-DDD", "LLL:DDD") * 2, "DDD|LLL"),
        (2.2, 3.0),
        ((BLACK, WHITE), ((30, 30, 32), WHITE)),
        above=0.4,
        below=0.3,
        styles=("argentine",),
        even=0.8,
        rim=0.8,
    ),
    Layout(
        "ar",
        0.07,
        (*("LL DDD LL",) * 5, "LDD|DLLL"),
        (2.8, 3.3),
        (_BLACK_ON_WHITE,),
        band="top",
        styles=("fe",),
        even=0.7,
        first=_ARGENTINA_FIRST,
    ),
    Layout(
        "in",
        0.15,
        (
            *("LLDDLLDDDD", "LL DD LL DDDD", "LL-DD-L-DDDD", "LLDDLDDDD", "LLDLDDDD", "LL DD L DDDD"),
            *("LLDDLL|DDDD", "LL-DD|L-DDDD", "DLDCLDDDD", "LL DDLL|DDDD", "LL.DD.LL.DDDD"),
            *("LL. DD L. DDDD", "LL. DD. LL. DDDD", "LL DD LL|DDDD", "LLDDL|DDDD", "LL-DD-LL-DDDD", "LLDD LL DDDD"),
        ),
        (2.2, 6.0),
        (_BLACK_ON_WHITE, _BLACK_ON_WHITE, (YELLOW, BLACK), ((20, 100, 50), WHITE), (BLACK, YELLOW)),
        below=0.1,
        may_break=True,
        parts="code",
        styles=("indian", "charles-wright"),
    ),
    Layout(
        "id",
        0.11,
        ("LDDDDLLL", "LL DDDD LL", "L DDDD LL", "LL DDDD L", "LL DDDD LLL", "L DDDD LLL", "L DDD LLL"),
        (2.4, 3.2),
        ((BLACK, WHITE), (BLACK, WHITE), _BLACK_ON_WHITE, ((200, 30, 30), WHITE), (YELLOW, BLACK)),
        below=0.9,
        styles=("indonesian",),
        even=0.6,
    ),
    Layout(
        "vn",
        0.06,
        ("DD-LD|DDD.DD", "DD-LD|DDDD", "DDL|DDD.DD", "DD-LL|DDD.DD", "DDL-DDD.DD", "DDL-DDDD"),
        (1.2, 4.5),
        (_BLACK_ON_WHITE,),
    ),
    Layout(
        None,
        0.14,
        (
            *("LL DDD LL", "LLD DDDD", "LLLDDDD", "DLD DDDD", "DDLLLD", "DD-LLL-D", "LLL-DDD", "DDDD LLL"),
            *("LL DDD LLL", "L LL DDDD", "LL LL DDD", "LLDD LLL", "LDDD LLL", "LLL DDL", "LL DDLLL", "LLL DDD"),
            *("LL|DDDDL", "LLL|DDDD", "DDD LLL DD", "LL·DDDDL", "L DDD LLL"),
        ),
        (3.2, 5.0),
        (
            _BLACK_ON_WHITE,
            _BLACK_ON_WHITE,
            (WHITE, (20, 40, 110)),
            (YELLOW, BLACK),
            ((250, 215, 90), BLACK),
            (WHITE, RED),
        ),
        below=0.15,
        band="left",
        may_break=True,
        styles=("fe", "din", "charles-wright"),
    ),
    Layout(
        "us",
        0.16,
        (
            *("LLL-DDDD", "LLL DDDD", "DLLLDDD", "DDDDD-LL", "TDDDDDDC", "LDDDDDDC", "DDDD-LL", "LLL DDD"),
            *("DDD LLL", "LLDDDDD", "DDDLLL", "LLLDDD", "LLDLLL", "DLLDDDD", "LL DDDD", "LLL-DDL", "LLLLLL"),
            *("LLLLLLL", "LLLLL", "LLLDL", "DDDDDD", "DDD DDD"),
        ),
        (1.7, 2.4),
        (
            (WHITE, (20, 40, 120)),
            (WHITE, BLACK),
            (ORANGE, (20, 40, 120)),
            ((200, 215, 240), (20, 40, 120)),
            (CREAM, (120, 20, 30)),
            (BLUE, WHITE),
            ((210, 235, 215), (20, 80, 40)),
        ),
        above=0.85,
        below=0.75,
        parts="name",
        styles=("us-pressed",),
        even=0.6,
    ),
    Layout("cn", 0.02, ("LLLLLL", "LDDDDD"), (3.0, 4.6), (((20, 60, 160), WHITE), ((100, 190, 140), BLACK))),
)

SMALL_WORDS = {
    "": (
        *("GOVERNMENT", "PUBLIC", "MOTORS", "AUTO SALES", "COMMERCIAL", "TAXI", "05-27", "11-25", "07.28"),
        *("AUTOHAUS", "GARAGE", "SERVICE", "CENTRAL"),
    ),
    "br": (
        *("PR-CURITIBA", "SP-SAO PAULO", "SC-JOINVILLE", "RS-PORTO ALEGRE", "MG-BELO HORIZONTE", "RJ-RIO DE JANEIRO"),
        *("PR-MARINGA", "SP-CAMPINAS", "BA-SALVADOR", "CE-FORTALEZA", "DF-BRASILIA", "GO-GOIANIA", "PE-RECIFE"),
        *("SC-FLORIANOPOLIS", "ES-VITORIA", "PR-LONDRINA"),
    ),
    "ar": ("ARGENTINA", "REPUBLICA ARGENTINA"),
    "in": ("IND", "GOVT OF INDIA", "POLICE", "TAXI", "MOTORS"),
    "id": ("05-27", "11-25", "07.28", "03.29", "12-26", "08.30", "01-24"),
    "us": (
        *("GARDEN STATE", "EMPIRE STATE", "SUNSHINE", "LIVE FREE", "GOVERNMENT", "COMMERCIAL", "TAXI", "AUTO SALES"),
        *("DISABLED", "VETERAN", "TRUCK", "SCENIC", "VACATIONLAND", "HERITAGE", "GREAT LAKES", "ALOHA", "DEALER"),
    ),
}
"""Small words by region, "" for the others; they are not read."""

BAND_WORDS = {"br": "BRASIL", "ar": "REPUBLICA ARGENTINA"}
BAND_LETTERS = ("D", "PL", "H", "E", "F", "I", "NL", "RO", "CZ", "HR", "S", "GB", "A", "B", "P")
