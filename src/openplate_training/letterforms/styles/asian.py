"""India's pressed high-security letters and Indonesia's tall ones."""

from __future__ import annotations

from openplate_training.letterforms.style import Style

INDIAN = Style("indian", width=0.56, stroke=0.165, bowl=(0.2, 0.21), fullness=0.8, softness=0.02)

INDONESIAN = Style("indonesian", width=0.46, stroke=0.12, bowl=(0.2, 0.21), is_round=True, softness=0.02)
