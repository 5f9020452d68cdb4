"""What arguments stand for, and that many pictures are worked on in order and in little memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest

from openplate.cli.inputs import Failure, Input, expand, is_picture
from openplate.cli.work import in_order, peek


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the current folder: photos/ with pictures, other files and folders."""
    names = ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "sub/c.webp", "sub/deep/d.tif", ".git/e.jpg", "f.jpg/g.jpg")
    for name in names:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*arguments: str, skipped: str | None = None) -> list[str]:
    return [found.name for found in expand(arguments, skipped)]


@pytest.mark.usefixtures("folder")
def test_a_folder_is_its_pictures_sorted_with_those_of_its_folders() -> None:
    assert names("photos") == [
        "photos/a.PNG", "photos/b.jpg", "photos/f.jpg/g.jpg", "photos/sub/c.webp", "photos/sub/deep/d.tif",
    ]  # fmt: skip


@pytest.mark.usefixtures("folder")
def test_a_place_is_the_path_below_the_folder() -> None:
    places = {i.name: i.place for i in expand(["photos", "photos/b.jpg", "-"]) if isinstance(i, Input)}
    assert places["photos/sub/deep/d.tif"] == PurePath("sub/deep/d.tif")
    assert places["photos/b.jpg"] == PurePath("b.jpg")
    assert places["-"] == PurePath("stdin")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*.jpg", ["photos/b.jpg", "photos/f.jpg/g.jpg"]),
        ("photos/*.txt", ["photos/notes.txt"]),
        ("photos/[ab]*", ["photos/a.PNG", "photos/b.jpg"]),
        ("photos/s*", ["photos/sub/c.webp", "photos/sub/deep/d.tif"]),
        ("photos/**/?.*", ["photos/a.PNG", "photos/b.jpg", "photos/f.jpg/g.jpg", "photos/sub/c.webp",
                           "photos/sub/deep/d.tif"]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_globs_that_no_shell_expanded(pattern: str, expected: list[str]) -> None:
    assert names(pattern) == expected


@pytest.mark.usefixtures("folder")
def test_files_are_taken_as_they_are_in_the_order_given() -> None:
    arguments = ["photos/notes.txt", "missing.jpg", "photos/b.jpg", "photos/b.jpg"]
    assert list(expand(arguments)) == [Input(a, PurePath(a).relative_to(PurePath(a).parent)) for a in arguments]


@pytest.mark.usefixtures("folder")
def test_a_file_whose_name_is_a_pattern_is_a_file() -> None:
    Path("x[1].jpg").touch()
    assert names("x[1].jpg") == ["x[1].jpg"]


@pytest.mark.parametrize(("argument", "message"), [("empty", "no pictures in this folder"), ("*.gif", "no file")])
@pytest.mark.usefixtures("folder")
def test_what_yields_nothing_is_a_failure(argument: str, message: str) -> None:
    Path("empty").mkdir()
    (failure,) = expand([argument])
    assert isinstance(failure, Failure)
    assert failure.name == argument
    assert message in failure.message


def test_links_that_lead_round_in_a_circle_end(folder: Path) -> None:
    Path("photos/sub/round").symlink_to(folder / "photos")
    Path("photos/linked.jpg").symlink_to("b.jpg")
    assert names("photos").count("photos/linked.jpg") == 1
    assert not any("round" in name for name in names("photos"))


@pytest.mark.usefixtures("folder")
def test_the_folder_for_drawings_is_passed_over() -> None:
    assert names("photos", skipped="photos/sub") == ["photos/a.PNG", "photos/b.jpg", "photos/f.jpg/g.jpg"]
    assert "photos/sub/c.webp" not in names("photos/**", skipped="photos/sub")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.usefixtures("folder")
def test_a_folder_that_may_not_be_read_is_a_failure() -> None:
    Path("photos/sub").chmod(0)
    found = list(expand(["photos"]))
    Path("photos/sub").chmod(0o755)
    assert Failure("photos/sub", "cannot be read: Permission denied") in found


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.b.webp", "a.Tiff", "a.ppm", "a.bmp", "a.gif"])
def test_pictures_by_extension(name: str) -> None:
    assert is_picture(name)


@pytest.mark.parametrize("name", ["jpg", "a.txt", "a.jpg.part", "a", ".jpg"])
def test_no_pictures_by_extension(name: str) -> None:
    assert not is_picture(name)


def test_answers_come_in_order_and_questions_are_taken_a_few_ahead_only() -> None:
    asked: list[int] = []

    def questions() -> Iterator[int]:
        for number in range(1000):
            asked.append(number)
            yield number

    gate = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            gate.wait(10)  # the first is the slowest
        return 10 * number

    answers = in_order(work, questions(), 3)
    threading.Timer(0.1, gate.set).start()
    assert next(answers) == (0, 0)
    assert len(asked) <= 12
    assert list(answers) == [(number, 10 * number) for number in range(1, 1000)]


def test_an_error_is_raised_at_its_place_and_the_rest_is_dropped() -> None:
    done = []

    def work(number: int) -> int:
        if number == 3:
            raise RuntimeError("three")
        done.append(number)
        return number

    answers = in_order(work, range(100), 1)
    assert [next(answers)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="three"):
        next(answers)
    assert len(done) < 20


def test_peeking_loses_nothing() -> None:
    assert [(count, list(rest)) for count, rest in [peek(range(5), 3), peek(range(2), 3)]] == [
        (3, [0, 1, 2, 3, 4]),
        (2, [0, 1]),
    ]
