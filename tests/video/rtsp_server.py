"""A real RTSP server, GStreamer's, for the tests of cameras; run by the system's Python, which has its bindings.

Prints "port N" once it listens. Reads lines: "size W H" and "pattern NAME" change the running stream, "damage P"
breaks that share of its coded bytes; it ends with its standard input. --check: only says whether all is there.
"""

from __future__ import annotations

import argparse
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtspServer  # noqa: E402

NEEDED = ("videotestsrc", "x264enc", "rtph264pay", "jpegenc", "rtpjpegpay", "breakmydata")
CODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast sliced-threads=false threads=1 key-int-max=10 bitrate=600"
    " ! breakmydata name=damage probability=0 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "jpeg": "jpegenc ! breakmydata name=damage probability=0 ! rtpjpegpay name=pay0 pt=26",
}


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.media: list[GstRtspServer.RTSPMedia] = []
        self.size = (options.width, options.height)
        self.rate = options.rate
        self.server = GstRtspServer.RTSPServer(address="127.0.0.1", service=str(options.port))
        if options.password or options.certificate:
            self.server.set_auth(self.auth(options.password, options.certificate))
        factory = GstRtspServer.RTSPMediaFactory(shared=True)
        factory.set_launch(
            f"( videotestsrc name=test is-live=true pattern={options.pattern}"
            f" ! capsfilter name=size caps={self.caps(*self.size)} ! {CODERS[options.coder]} )"
        )
        if options.password or options.certificate:
            factory.add_role_from_structure(
                Gst.Structure.from_string("viewer, media.factory.access=true, media.factory.construct=true;")[0]
            )
        factory.connect("media-configure", lambda _, media: self.media.append(media))
        self.server.get_mount_points().add_factory("/cam", factory)
        self.server.attach(None)

    def auth(self, password: str | None, certificate: str | None) -> GstRtspServer.RTSPAuth:
        auth = GstRtspServer.RTSPAuth()
        if certificate:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(certificate))
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        if password:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic("camera", password), token)
        else:
            auth.set_default_token(token)
        return auth

    def caps(self, width: int, height: int) -> str:
        return f"video/x-raw,format=I420,width={width},height={height},framerate={self.rate}/1"

    def obey(self, line: str) -> bool:
        command, *values = line.split()
        for media in self.media:
            element = media.get_element()
            if command == "size":
                caps = Gst.Caps.from_string(self.caps(int(values[0]), int(values[1])))
                element.get_by_name("size").set_property("caps", caps)
            elif command == "pattern":
                element.get_by_name("test").set_property("pattern", values[0])
            elif command == "damage":
                element.get_by_name("damage").set_property("probability", float(values[0]))
        return False


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--rate", type=int, default=10)
    parser.add_argument("--pattern", default="ball")
    parser.add_argument("--coder", choices=sorted(CODERS), default="h264")
    parser.add_argument("--password")
    parser.add_argument("--certificate", help="a PEM file with its key: the server speaks TLS")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    Gst.init(None)
    if options.check:
        lacks_tls = options.certificate and not Gio.TlsBackend.get_default().supports_tls()
        sys.exit(lacks_tls or any(Gst.ElementFactory.find(name) is None for name in NEEDED))
    server = Server(options)
    loop = GLib.MainLoop()

    def listen() -> None:
        for line in sys.stdin:
            GLib.idle_add(server.obey, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=listen, daemon=True).start()
    print("port", server.server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
