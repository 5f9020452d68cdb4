"""German lettering: the forgery-hindering one of today and the road-sign one before it."""

from __future__ import annotations

from openplate_training.letterforms.skeletons import ROUND, SKELETONS
from openplate_training.letterforms.style import Style

DIN = Style(
    "din",
    width=0.58,
    stroke=0.142,
    bowl=(0.23, 0.25),
    skeletons={"Q": (SKELETONS["Q"], f"{ROUND} | .5,.74 .5,1.04")},
)

FE = Style(
    "fe",
    width=0.6,
    stroke=0.138,
    bowl=(0.2, 0.22),
    fullness=0.8,
    skeletons={
        "0": ROUND + " | - .62,.42 1.3,-.02",
        "O": "0,.04* 0,0* 1,0* 1,1* 0,1* z",
        "P": "0,1 0,0 1,0* 1,.56* .3,.56",
        "R": "0,1 0,0 1,0* 1,.52* .3,.52 | .55,.52 1,1",
        "Q": ROUND + " | .55,.66 1.05,1.05 | - .72,1.2 .3,.72",
        "I": "0,0 1,0 | .5,0 .5,1 | 0,1 1,1",
        "J": "0,0 1,0 1,1* 0,1* 0,.7",
        "M": "0,1 0,0 .5,.5 1,0 1,1",
        "W": "0,0 .18,1 .5,.4 .82,1 1,0",
        "1": "0,.3 1,0 1,1",
        "4": "0.5,0 0,.72 1,.72 | .78,.42 .78,1",
        "3": "0,0 1,0 .45,.4 1,.4* 1,1* 0,1* 0,.75",
        "6": ".7,0 0,.5* 0,1* 1,1* 1,.44* .1,.44",
        "9": "@6",
        "5": "1,0 .08,0 .03,.42 1,.38* 1,1* 0,1* 0,.76",
    },
    widths=dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1.0) | dict.fromkeys("023456789", 0.94) | {"1": 0.62, "I": 0.8},
)
