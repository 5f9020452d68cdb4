"""How many calls were made in this period."""

import os

import requests

response = requests.get(
    os.environ["HOST"] + "/v1/statistics/",
    headers={"Authorization": "Token " + os.environ["TOKEN"]},
)
print(response.text)
