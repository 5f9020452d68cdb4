"""Run as a program: queues messages and uploads them until it is killed, or with ``--last`` until nothing waits.

``uploading.py FOLDER ADDRESS FIRST [--last]``: prints the number of each message once it is queued.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from openplate.delivery.upload_queue import UploadQueue
from openplate.delivery.uploader import Uploader, UploadOptions


def main(folder: Path, address: str, first: int, *, is_last: bool) -> None:
    queue = UploadQueue(folder, 10**9)
    uploader = Uploader(queue, address, UploadOptions(threads=2, first_delay_s=0.02, longest_delay_s=0.1))
    uploader.start()
    if is_last:
        while len(queue):
            time.sleep(0.01)
        uploader.stop()
        return
    number = first
    while True:
        queue.put({"data_type": "alpr_group" if number % 2 else "heartbeat", "number": number, "pad": "x" * 5000})
        print(number, flush=True)
        number += 1
        time.sleep(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), is_last="--last" in sys.argv)
