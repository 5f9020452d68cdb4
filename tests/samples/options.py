"""Everything that can be said beside the picture; ``mmc`` as Python writes it."""

import json
import os
import sys

import requests

with open(sys.argv[1], "rb") as picture:  # noqa: PTH123
    response = requests.post(
        os.environ["HOST"] + "/v1/plate-reader/",
        data={
            "regions": ["us-ca", "mx"],
            "mmc": True,
            "camera_id": "gate-1",
            "timestamp": "2026-03-05T14:02:11",
            "config": json.dumps({"mode": "fast", "threshold_d": 0.3, "threshold_o": 0.5}),
        },
        files={"upload": picture},
        headers={"Authorization": "Token " + os.environ["TOKEN"]},
    )
print(response.text)
