"""British lettering and the one that Brazil took from it."""

from __future__ import annotations

from openplate_training.letterforms.skeletons import ROUND, SKELETONS
from openplate_training.letterforms.style import Style

# The widths that Brazil's rules name, in millimetres for a height of 63; but for I, a bar of 10 there, which most dies
# cut like a 1.
_MILLIMETRES = {
    **{"A": 54, "B": 44, "C": 44, "D": 43, "E": 40, "F": 40, "G": 45, "H": 45, "I": 18, "J": 36, "K": 49, "L": 40},
    **{"M": 54, "N": 47, "O": 45, "P": 44, "Q": 51, "R": 46, "S": 46, "T": 44, "U": 45, "V": 49, "W": 49, "X": 49},
    **{"Y": 47, "Z": 40, "1": 18, "2": 36, "3": 37, "4": 40, "5": 36, "6": 37, "7": 37, "8": 38, "9": 36, "0": 36},
}

MANDATORY = Style(
    "mandatory",
    width=0.7,
    stroke=0.162,
    bowl=(0.17, 0.18),
    fullness=0.85,
    skeletons={
        "I": ("0,.24 1,0 1,1", "1,0 1,1", "0,.2 1,0 1,1", "0,0 1,0 1,1"),
        "M": ("0,1 0,0 .5,.55 1,0 1,1", "0,1 0,0 .5,.55 1,0 1,1", "0,1 0,0 .5,.72 1,0 1,1"),
        "6": (
            SKELETONS["6"],
            "1,.15 1,0* 0,0* 0,1* 1,1* 1,.4* 0,.4* 0,.6",
            "1,.23 1,0* 0,0* 0,1* 1,1* 1,.42* 0,.42* 0,.6",
        ),
        "W": (SKELETONS["W"], "0,0 .2,1 .5,.4 .8,1 1,0", "0,0 .14,1 .5,.42 .86,1 1,0"),
        "Q": (f"{ROUND} | .5,.72 .5,1.06", f"{ROUND} | .56,.74 .66,1.08", SKELETONS["Q"]),
    },
    widths={character: millimetres / 63 / 0.7 for character, millimetres in _MILLIMETRES.items()},
)

CHARLES_WRIGHT = Style(
    "charles-wright",
    width=0.633,
    stroke=0.177,
    bowl=(0.2, 0.22),
    fullness=0.78,
    skeletons={
        "M": "0,1 0,0 .5,.58 1,0 1,1",
        "W": "0,0 .2,1 .5,.3 .8,1 1,0",
        "1": ("0,.2 1,0 1,1", "1,0 1,1"),
    },
    widths=dict.fromkeys("ABCDEFGHJKLMNOPQRSTUVWXYZ023456789", 1.0) | {"1": 0.45},
    twins=("1I", "0O"),
)
