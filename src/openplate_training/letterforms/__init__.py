"""Lettering of licence plates for which no free font exists, drawn by code from pen strokes.

Drawn from general knowledge of how the plates look; no font's outlines were copied.
"""

from openplate_training.letterforms.drawing import CAP_HEIGHT, STYLES, DrawnFont, draw

__all__ = ["CAP_HEIGHT", "STYLES", "DrawnFont", "draw"]
