"""Client programs in shell, Python, PHP and JavaScript, as people write them after the vendor's documentation."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.calling import serving
from tests.api.stand_in_service import SECRET, StandInService, as_port

from openplate.api.app import create_app

JPEG = b"\xff\xd8\xff" + bytes(range(256)) * 200

SHELL = """curl -s -F "upload=@$PICTURE" -F regions=us-ca -F regions=mx -F 'config={"region":"strict"}' \\
  -H "Authorization: Token $TOKEN" $URL"""
SHELL_BASE64 = """base64 "$PICTURE" | curl -s -F "upload=<-" -F regions=us-ca -F regions=mx \\
  -F config='{"region":"strict"}' -H "Authorization: Token $TOKEN" $URL"""
SHELL_LARGE = """curl -s -H "Expect: 100-continue" -F "upload=@$PICTURE" -F regions=us-ca,mx \\
  -F config='{"region":"strict"}' -H "Authorization: Token $TOKEN" $URL"""
PYTHON = """
import json, os, requests
with open(os.environ["PICTURE"], "rb") as picture:
    response = requests.post(
        os.environ["URL"],
        data={"regions": ["us-ca", "mx"], "config": json.dumps({"region": "strict"})},
        files={"upload": picture},
        headers={"Authorization": "Token " + os.environ["TOKEN"]},
    )
print(response.text)
"""
PHP = """
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('URL'),
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => ['upload' => new CURLFile(getenv('PICTURE')), 'regions' => 'us-ca,mx',
                           'config' => '{"region":"strict"}'],
    CURLOPT_HTTPHEADER => ['Authorization: Token ' . getenv('TOKEN')],
]);
echo curl_exec($curl);
"""
JAVASCRIPT = """
const fs = require("fs");
const body = new FormData();
body.append("upload", new Blob([fs.readFileSync(process.env.PICTURE)]), "car.jpg");
body.append("regions", "us-ca");
body.append("regions", "mx");
body.append("config", JSON.stringify({ region: "strict" }));
fetch(process.env.URL, { method: "POST", headers: { Authorization: `Token ${process.env.TOKEN}` }, body })
  .then((response) => response.text()).then(console.log);
"""
JAVASCRIPT_BASE64 = """
const fs = require("fs");
const body = new URLSearchParams();
body.append("upload", fs.readFileSync(process.env.PICTURE).toString("base64"));
body.append("regions", "us-ca");
body.append("regions", "mx");
body.append("config", JSON.stringify({ region: "strict" }));
fetch(process.env.URL, { method: "POST", headers: { Authorization: `Token ${process.env.TOKEN}` }, body })
  .then((response) => response.text()).then(console.log);
"""
PROGRAMS = {
    "shell": ("sh", "-c", SHELL, "car.jpg"),
    "shell-base64": ("sh", "-c", SHELL_BASE64, "upload.jpg"),
    "shell-expect": ("sh", "-c", SHELL_LARGE, "car.jpg"),
    "python": ("python3", "-c", PYTHON, "car.jpg"),
    "php": ("php", "-r", PHP, "car.jpg"),
    "javascript": ("node", "-e", JAVASCRIPT, "car.jpg"),
    "javascript-base64": ("node", "-e", JAVASCRIPT_BASE64, "upload.jpg"),
}


@pytest.fixture(scope="module")
def service() -> StandInService:
    return StandInService(flavour="cloud", token_required=True)


@pytest.fixture(scope="module")
def address(service: StandInService) -> Iterator[tuple[str, int]]:
    with serving(create_app(as_port(service))) as at:
        yield at


def run(name: str, url: str, picture: Path, token: str = SECRET) -> Any:
    program, option, text, _ = PROGRAMS[name]
    found = shutil.which(program)
    if name == "python":
        pytest.importorskip("requests")
        found = sys.executable
    if found is None or (program == "sh" and shutil.which("curl") is None):
        pytest.skip(f"{program} or curl is not installed")
    surroundings = {"URL": url, "PICTURE": str(picture), "TOKEN": token, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run([found, option, text], env=surroundings, capture_output=True, timeout=60, check=True)
    return json.loads(ran.stdout)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_need_another_host_only(
    name: str, service: StandInService, address: tuple[str, int], tmp_path: Path
) -> None:
    path = "/v1/plate-reader" if name.endswith("base64") else "/v1/plate-reader/"
    picture = tmp_path / "car.jpg"
    picture.write_bytes(JPEG)
    answer = run(name, f"http://{address[0]}:{address[1]}{path}", picture)
    assert answer["bytes"] == len(JPEG)
    sent, request, _ = service.calls[-1]
    assert (sent.data, sent.filename) == (JPEG, PROGRAMS[name][3])
    assert request.regions == ("us-ca", "mx")
    assert request.config.region_strict


@pytest.mark.parametrize("name", ["shell", "python", "php"])
def test_they_see_why_they_are_refused(name: str, address: tuple[str, int], tmp_path: Path) -> None:
    picture = tmp_path / "car.jpg"
    picture.write_bytes(JPEG)
    url = f"http://{address[0]}:{address[1]}/v1/plate-reader/"
    assert run(name, url, picture, token="0" * 40) == {"detail": "Invalid token.", "status_code": 403}
    picture.write_bytes(bytes(2_500_000))
    assert run(name, url, picture)["status_code"] == 413
