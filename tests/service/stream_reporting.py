"""Run as a program: reports passes in Stream's way without an end, and prints the text of each once it is reported.

``stream_reporting.py FOLDER LETTER``: FOLDER has a ``config.ini``; the texts begin with the letter.
"""

from __future__ import annotations

import sys
import uuid
from itertools import count
from pathlib import Path

from factories import make_pixels
from openplate.imaging import Image
from openplate.service.outputs import Camera
from openplate.service.stream_side import StreamSide
from openplate.settings.stream_config import load_stream_settings
from openplate.video_pipeline import GroupPicture
from stream_scenes import make_group


def main(folder: Path, letter: str) -> None:
    side = StreamSide.open(load_stream_settings(folder), folder / "data")
    image = Image(make_pixels(640, 480))
    for number in count():
        text = f"{letter}{number:05d}"
        side.output.group(Camera("gate-1", 1), GroupPicture(make_group(text, id=uuid.uuid4().hex), image, 1.0))
        assert side.output.failures == {}
        print(text.lower(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
