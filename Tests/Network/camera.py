#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network camera that is not there: motion JPEG over HTTP on the loopback, with faults.

usage: camera.py PORT-FILE [--port N]

The pictures are plain gray, 4 levels brighter each time, 64 levels in turn, 20 a second. The port is
written to PORT-FILE. ffmpeg makes the pictures.

    /live      as it should be
    /private   wants the user "me" and the password "s3cret"
    /ends      each connection ends after 10 pictures
    /flaky     the first connection that gets so far ends after 10 pictures
    /stalls    the first connection that gets so far is silent after 10 pictures;
               each with another query is one of its own
    /resizes   pictures are larger after 10
    /dark      black, /bright white
    /text      a page of text
    /starting  such a page to the first three visitors, then as it should be
    /photos    photographs of 640x480
"""
import base64
import functools
import http.server
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

RATE = 20
FAULT_AFTER = 10


def pictures(size, levels):
    """JPEGs of plain gray, made by ffmpeg."""
    with tempfile.TemporaryDirectory() as folder:
        picture = f"nullsrc=size={size}:rate=10,geq=lum='{levels}':cb=128:cr=128"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-frames:v", "64",
             "-pix_fmt", "yuvj420p", "-q:v", "2", f"{folder}/%02d.jpg"], check=True)
        return [path.read_bytes() for path in sorted(Path(folder).iterdir())]


@functools.cache
def photographs():
    """The photographs of the tests, one size for all."""
    folder = Path(__file__).parent.parent / "Fixtures/photos"
    return [
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", path, "-vf", "scale=640:480", "-pix_fmt", "yuvj420p",
             "-q:v", "4", "-f", "mjpeg", "pipe:1"], check=True, stdout=subprocess.PIPE).stdout
        for path in sorted(folder.glob("*.jpg"))]


SMALL = pictures("64x48", "4*N")
LARGE = pictures("128x96", "4*N")
DARK = pictures("64x48", "0")[:1]
BRIGHT = pictures("64x48", "255")[:1]
START = time.monotonic()
faulty = set()
lock = threading.Lock()
pages = itertools.count()


def is_starting():
    with lock:
        return next(pages) < 3


class Camera(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        if path not in ("/live", "/private", "/ends", "/flaky", "/stalls", "/resizes", "/dark",
                        "/bright", "/photos", "/text", "/starting"):
            return self.send_error(404)
        expected = "Basic " + base64.b64encode(b"me:s3cret").decode()
        if path == "/private" and self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            return self.end_headers()
        if path == "/text" or path == "/starting" and is_starting():
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            return self.wfile.write(b"<html><body>The camera is starting.</body></html>")
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace;boundary=picture")
        self.end_headers()
        try:
            self.stream(path)
        except OSError:
            pass  # the visitor has left

    def stream(self, path):
        sent = 0
        while True:
            tick = int((time.monotonic() - START) * RATE)
            source = {"/dark": DARK, "/bright": BRIGHT}.get(path, SMALL)
            if path == "/photos":
                source = photographs()
            if path == "/resizes" and sent >= FAULT_AFTER:
                source = LARGE
            picture = source[tick % len(source)]
            self.wfile.write(
                b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                % len(picture) + picture + b"\r\n")
            sent += 1
            time.sleep(max(0, START + (tick + 1) / RATE - time.monotonic()))
            # A visitor that only looks what there is has left by then.
            if sent < (FAULT_AFTER if path == "/ends" else 4 * RATE):
                continue
            if path == "/ends":
                return
            with lock:
                is_first = path in ("/flaky", "/stalls") and self.path not in faulty
                faulty.add(self.path)
            if is_first and path == "/flaky":
                return
            if is_first:
                time.sleep(3600)

    def log_message(self, *arguments):
        pass


def main():
    port = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Camera)
    server.daemon_threads = True
    Path(sys.argv[1]).write_text(str(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Nobody ends it if its parent was killed.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)


main()
