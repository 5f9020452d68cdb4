"""Forms whose file goes to the disk as it comes in: the same result however they are cut, and what is refused."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from calling import BOUNDARY, form
from hypothesis import given
from hypothesis import strategies as st

from openplate.api.streamed_form import StreamedForm
from openplate.errors import RequestError


class Kept(io.BytesIO):
    """A file that can still be read when it is closed."""

    def close(self) -> None:
        self.kept = self.getvalue()
        super().close()


def read(body: bytes, cuts: tuple[int, ...] = (), **limits: int) -> tuple[StreamedForm, bytes | None]:
    files: list[Kept] = []

    def open_file() -> Kept:
        files.append(Kept())
        return files[-1]

    taken = StreamedForm(BOUNDARY, open_file, **limits)
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(places):
            taken.feed(body[start:end])
        taken.finish()
    finally:
        taken.close()
    return taken, files[0].kept if files else None


VIDEO = b"\r\n--" + BOUNDARY[:-1].encode() + b"x\r\n\r\n\x00--\r" * 5


@given(
    st.binary(max_size=60) | st.just(VIDEO),
    st.text(max_size=8),
    st.lists(st.integers(0, 10_000), max_size=8).map(tuple),
)
def test_the_same_however_it_is_cut(data: bytes, text: str, cuts: tuple[int, ...]) -> None:
    body, _ = form(("sample", None, text.encode()), ("upload", "car.avi", data), ("regions", None, b"de"))
    taken, kept = read(body, cuts)
    assert (taken.fields, taken.filename, kept) == ({"sample": (text,), "regions": ("de",)}, "car.avi", data)


def test_byte_by_byte() -> None:
    body, _ = form(("upload", "car.avi", VIDEO), ("a", None, b""), ("a", None, b"2"))
    taken, kept = read(b"before it\r\n" + body + b"after it", tuple(range(len(body) + 30)))
    assert (taken.fields, kept) == ({"a": ("", "2")}, VIDEO)


@pytest.mark.parametrize(
    ("sent", "known"),
    [("C:\\clips\\car.avi", "car.avi"), ("../../x.mp4", "x.mp4"), ("", "upload"), ("a\tb.mp4", "ab.mp4")],
)
def test_names_of_files_are_made_harmless(sent: str, known: str) -> None:
    taken, _ = read(form(("upload", sent, b"1"))[0])
    assert taken.filename == known


def test_files_of_other_fields_are_read_past() -> None:
    taken, kept = read(form(("other", "x.bin", b"9" * 100_000), ("upload", "a", b"1"))[0], max_field_bytes=10)
    assert (taken.fields, kept) == ({}, b"1")


def test_a_form_without_the_file() -> None:
    taken, kept = read(form(("sample", None, b"2"))[0])
    assert (taken.filename, kept) == (None, None)


WHOLE = form(("upload", "a", b"1"))[0]


@pytest.mark.parametrize(
    ("body", "limits", "message"),
    [
        (WHOLE[:-10], {}, "cut off"),
        (b"", {}, "cut off"),
        (b"x" * 10_000, {}, "has no part"),
        (form(*[("a", None, b"1")] * 4)[0], {"max_parts": 3}, "more than 3 parts"),
        (form(("a", None, b"12345"))[0], {"max_field_bytes": 4}, "'a' is longer than 4 bytes"),
        (form(("upload", "a", b"1"), ("upload", "b", b"2"))[0], {}, "more than one file"),
        (WHOLE.replace(b'name="upload"', b"x"), {}, "has no name"),
        (WHOLE.replace(b"Content-Disposition", b"x" * 9000), {}, "do not end or are too long|has no name"),
        (WHOLE.replace(BOUNDARY.encode() + b"\r\n", BOUNDARY.encode() + b"zzz\r\n", 1), {}, "but is none"),
    ],
    ids=range(9),
)
def test_what_is_refused(body: bytes, limits: dict[str, int], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        read(body, **limits)


@pytest.mark.parametrize("boundary", ["", "x" * 201, "ü"])
def test_boundaries_that_cannot_be_used(boundary: str) -> None:
    with pytest.raises(RequestError, match="boundary"):
        StreamedForm(boundary, io.BytesIO)


def test_no_more_is_held_than_a_boundary() -> None:
    taken = StreamedForm(BOUNDARY, io.BytesIO)
    taken.feed(WHOLE.partition(b"1\r\n--")[0])
    for _ in range(50):
        taken.feed(b"z" * 10_000)
    assert len(taken._held) < 2 * len(BOUNDARY)
    taken.close()
