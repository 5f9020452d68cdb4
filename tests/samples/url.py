"""A picture that the server fetches itself."""

import os
import sys

import requests

response = requests.post(
    os.environ["HOST"] + "/v1/plate-reader/",
    data={"upload_url": sys.argv[1], "regions": ["us-ca"]},
    headers={"Authorization": "Token " + os.environ["TOKEN"]},
)
print(response.text)
