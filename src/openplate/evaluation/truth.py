"""Which labelled texts a reader of A-Z and 0-9 can be measured by, and what the right answer then is."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from openplate.evaluation.fields import LabelSource
from openplate.text import normalise

SUSPECT = "the label is suspect"
NO_TEXT = "no text is labelled"
OTHER_LETTERS = "letters outside A-Z"


@dataclass(frozen=True, slots=True)
class Truth:
    """The text to compare with, or (``text`` None) the reason why there is none."""

    text: str | None
    source: LabelSource | None = None
    reason: str = ""


def truth_of(text: str | None, source: LabelSource | None, suspect: bool) -> Truth:
    """The truth of a labelled text. Chinese characters are dropped (a Chinese plate begins with its
    province); a text with other letters that have no form in A-Z, as Arabic ones, cannot be compared.
    """
    if text is None:
        return Truth(None, source, NO_TEXT)
    if suspect:
        return Truth(None, source, SUSPECT)
    if any(_is_foreign(character) for character in unicodedata.normalize("NFKD", text)):
        return Truth(None, source, OTHER_LETTERS)
    readable = normalise(text)
    return Truth(readable, source) if readable else Truth(None, source, OTHER_LETTERS)


def _is_foreign(character: str) -> bool:
    if character.isascii() or not character.isalnum():
        return False
    return not unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH")
