"""Argentina's letters of 1994 to 2016, and the dies that many states of the United States press with."""

from __future__ import annotations

from openplate_training.letterforms.style import Style

ARGENTINE = Style("argentine", width=0.47, stroke=0.118, bowl=(0.2, 0.22), is_round=True, softness=0.02)

US_PRESSED = Style(
    "us-pressed",
    width=0.5,
    stroke=0.125,
    bowl=(0.16, 0.17),
    fullness=0.85,
    is_round=True,
    softness=0.025,
    skeletons={"M": "0,1 0,0 .5,.5 1,0 1,1", "W": "0,0 0,1 .5,.5 1,1 1,0", "1": ("0,.2 1,0 1,1", "1,0 1,1")},
)
