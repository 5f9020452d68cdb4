"""``openplate watch``: cameras, videos and folders, a line for each vehicle; messages in other products' ways."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from openplate.cli.choices import DeviceChoice
from openplate.cli.surroundings import SettingsFile, settings_for, surroundings_of


def watch(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|URL|FOLDER]...",
            help="Videos, folders of pictures, rtsp:// and http:// addresses of cameras, usb:0.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per vehicle and line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing for each vehicle.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the picture in the terminal, in coloured text.")] = False,
    video: Annotated[
        Path | None,
        typer.Option("--video", metavar="FILE.mp4", help="Write a video with what was found drawn in."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="CODE", help="Where plates are from; repeatable. See `openplate regions`."),
    ] = None,
    attributes: Annotated[
        bool, typer.Option("--attributes", help="Tell type, make, model, colour and view of each vehicle too.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell a confident reading at once, before the report: for gates.")
    ] = False,
    scout: Annotated[
        Path | None,
        typer.Option("--scout", metavar="FOLDER", help="Work as the alprd.conf and stream.d there say."),
    ] = None,
    stream_config: Annotated[
        Path | None,
        typer.Option("--stream-config", metavar="FILE", help="Work as that config.ini, Stream's, says."),
    ] = None,
    device: Annotated[DeviceChoice | None, typer.Option("--device", help="Where the networks run.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=256, help="Frames analysed at the same time.")
    ] = None,
    settings_file: SettingsFile = None,
) -> None:
    """Watch cameras and videos: each vehicle is told once, with its plate, region and direction.

    Cameras come from the command line, from the settings' [cameras.NAME], from Scout's files and from Stream's. Ends
    by itself when all videos are read; cameras are watched until it is stopped.
    """
    settings = settings_for(settings_file, device.value if device else None, workers).settings
    from openplate.cli.watch_run import Wishes, run

    wishes = Wishes(
        sources=tuple(sources or ()),
        regions=tuple(region or ()),
        attributes=attributes,
        preview=preview,
        as_json=as_json,
        is_quiet=quiet,
        shows=show,
        video=video,
        scout=scout,
        stream_config=stream_config,
    )
    raise typer.Exit(run(wishes, settings, surroundings_of(context)))
