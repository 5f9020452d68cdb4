"""A picture as a file, with two regions."""

import os
import sys

import requests

with open(sys.argv[1], "rb") as picture:  # noqa: PTH123
    response = requests.post(
        os.environ["HOST"] + "/v1/plate-reader/",
        data={"regions": ["us-ca", "mx"]},
        files={"upload": picture},
        headers={"Authorization": "Token " + os.environ["TOKEN"]},
    )
print(response.text)
