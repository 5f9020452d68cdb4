"""Writes the generated parts of README.md and docs/ again; `--check` only says which are out of date.

    python -m scripts.update_tables [--check]

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`. Figures come from
results/*.csv, everything else from the program itself.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.results import ROOT

from scripts import measured, reference

GENERATED: Mapping[str, Callable[[], str]] = {
    "results": measured.headline,
    "reading": measured.reading,
    "detection": measured.detection,
    "plates": measured.plates,
    "regions": measured.regions,
    "attributes": measured.attributes,
    "speed": measured.speed,
    "serve": measured.serve,
    "watch": measured.watch,
    "commands": reference.commands,
    "settings": reference.settings,
    "cameras": reference.cameras,
    "networks": reference.networks,
    "data": reference.data_sets,
    "fonts": reference.fonts,
}

_PART = re.compile(r"(<!-- generated: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents() -> list[Path]:
    """Every page that may hold generated parts."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def update(text: str) -> str:
    """The page with its generated parts as they should be. Raises KeyError for an unknown name."""

    def part(match: re.Match[str]) -> str:
        return f"{match[1]}\n{GENERATED[match['name']]().strip()}\n\n{match[3]}"

    return _PART.sub(part, text)


def outdated(pages: Iterable[Path]) -> list[Path]:
    """The pages whose generated parts are not as they should be."""
    return [page for page in pages if (text := page.read_text(encoding="utf-8")) != update(text)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.update_tables", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail when something is out of date")
    is_check = parser.parse_args(arguments).check
    say = partial(print, file=sys.stderr if is_check else sys.stdout)
    changed = outdated(documents())
    for page in changed:
        say(f"{page.relative_to(ROOT)}: {'out of date' if is_check else 'written'}")
        if not is_check:
            page.write_text(update(page.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(1 if is_check and changed else 0)


if __name__ == "__main__":
    main()
