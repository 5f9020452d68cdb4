"""A picture as base64 in a URL-encoded form."""

import os
import sys
from base64 import b64encode
from pathlib import Path

import requests

response = requests.post(
    os.environ["HOST"] + "/v1/plate-reader/",
    data={"upload": b64encode(Path(sys.argv[1]).read_bytes()), "regions": "us-ca"},
    headers={"Authorization": "Token " + os.environ["TOKEN"]},
)
print(response.text)
