"""What rendered plates say: texts of their countries' forms, some of none."""

from __future__ import annotations

import string

from openplate.regions import Region, subdivisions
from openplate_training.augment import Random, chance
from openplate_training.layouts import Layout

ALIKE_LETTERS, ALIKE_DIGITS = "DHIJLMNOQTVW", "0135689"  # drawn twice as often as those that are easy to tell
FREE_FORM = 0.08  # share of texts that follow no country's form


def fill_form(form: str, random: Random, first: str = string.ascii_uppercase) -> str:
    """A text of a form: L becomes a letter, D a digit; a letter that it begins with is one of ``first``."""
    sets = {"L": string.ascii_uppercase + ALIKE_LETTERS, "D": string.digits + ALIKE_DIGITS}
    filled = "".join(random.choice(list(sets[c])) if c in sets else c for c in form)
    return str(random.choice(list(first))) + filled[1:] if form.startswith("L") else filled


def pick_part(layout: Layout, random: Random) -> Region | None:
    """The part of the country that issued a plate, where its plates tell."""
    if layout.parts is None or layout.region is None or chance(random, 0.1):
        return None
    parts = subdivisions(layout.region)
    return parts[random.integers(len(parts))]


def plain_forms(region: Region) -> tuple[str, ...]:
    """The forms of the table that consist of letters and digits only."""
    return tuple(form for form in region.patterns if set(form) <= {"L", "D"})


def pick_text(layout: Layout, random: Random, part: Region | None = None) -> str:
    """What is printed, with separators and line breaks."""
    forms = layout.forms
    if part is not None and layout.parts == "name" and chance(random, 0.5):
        forms = plain_forms(part) or forms
    printed = fill_form(forms[random.integers(len(forms))], random, layout.first)
    if part is not None and layout.parts == "code" and printed[:2].isalpha():
        printed = part.code.split("-")[1].upper() + printed[2:]
    if chance(random, FREE_FORM):
        count = int(random.integers(3, 9))
        return "".join(random.choice(list(string.ascii_uppercase + string.digits), count))
    if layout.may_break and "|" not in printed and len(read_text(printed)) >= 6 and chance(random, 0.18):
        cut = int(random.integers(2, len(printed) - 2))
        return printed[:cut].strip(" -·.") + "|" + printed[cut:].strip(" -·.")
    return printed


def read_text(printed: str) -> str:
    """What a reader should say of it."""
    return "".join(c for c in printed if c.isalnum())
