"""The pages for people, in a real browser at two widths."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from serving import STREET, TEXTS, Server, serving

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@dataclass
class Visit:
    """A window, what went wrong in it, and the addresses that it asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("--workers", "1", data=tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        window = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield window
        window.close()


@pytest.fixture(params=[1280, 375])
def visit(browser: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": request.param, "height": 800})
    made = Visit(page)
    page.on("console", lambda message: made.complaints.append(message.text))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("request", lambda asked: made.addresses.append(asked.url))
    yield made
    page.close()


def test_a_picture_is_tried(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto(f"{server.url}/")
    assert visit.fits
    for _ in range(2):  # the same one again too
        with page.expect_response("**/v1/plate-reader/", timeout=60_000):
            page.set_input_files("#file", STREET)
        page.wait_for_selector("#result:not([hidden])")
    assert {text.lower() for text in page.locator("td.plate").all_inner_texts()} == TEXTS
    assert {text.lower() for text in page.locator("#boxes text").all_text_contents()} == TEXTS
    assert page.inner_text("#status").startswith("street.jpg: 2 plates, ")
    page.click("summary")
    answer = json.loads(page.inner_text("#json"))
    assert {result["plate"] for result in answer["results"]} == TEXTS
    assert f"{server.url}/v1/plate-reader/" in page.inner_text("#curl")
    assert visit.fits
    assert visit.complaints == []
    assert all(address.startswith((f"{server.url}/", f"blob:{server.url}/", "data:")) for address in visit.addresses)


def test_what_is_no_picture_is_told(visit: Visit, server: Server) -> None:
    visit.page.goto(f"{server.url}/")
    with visit.page.expect_response("**/v1/plate-reader/"):
        visit.page.set_input_files("#file", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
    visit.page.wait_for_function("document.getElementById('status').textContent.startsWith('400: ')")
    assert visit.page.is_hidden("#result")


def test_the_interface_can_be_read(visit: Visit, server: Server) -> None:
    visit.page.goto(f"{server.url}/docs")
    assert visit.fits
    assert "/v1/plate-reader/" in visit.page.inner_text("body")
    assert visit.complaints == []
    assert all(address.startswith((f"{server.url}/", "data:")) for address in visit.addresses)


FROM_ELSEWHERE = """async (url) => {
  const body = new FormData();
  body.append("upload", new Blob(["no picture"]), "car.jpg");
  const response = await fetch(url, { method: "POST", headers: { Authorization: "Token my-token" }, body });
  return response.status;
}"""


def test_a_page_of_another_origin_may_ask(browser: Any, server: Server) -> None:
    """The browser asks before, because of the header; then it hands the answer to the page."""
    page = browser.new_page()
    page.goto(f"http://localhost:{server.port}/health/live")  # the same machine under another name
    assert page.evaluate(FROM_ELSEWHERE, f"{server.url}/v1/plate-reader/") == 400
    page.close()
