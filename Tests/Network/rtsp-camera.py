#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A camera that speaks RTSP and is not there: GStreamer's server, one picture as H.264, 10 a second.

usage: rtsp-camera.py PORT-FILE PICTURE [PORT]

Serves rtsp://127.0.0.1:PORT/camera; if OCELLUS_LOGIN is in the environment (arguments can be read by
everybody), only to that "user:password". The port is written to PORT-FILE. Runs with Debian's Python,
which finds python3-gi and gir1.2-gst-rtsp-server-1.0.
"""
import os
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def require(login, server, media):
    """Lets only those in who know the user and the password."""
    role = "friend"
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", role)
    user, _, password = login.partition(":")
    auth = GstRtspServer.RTSPAuth.new()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions.new()
    for right in ("access", "construct"):
        permissions.add_permission_for_role(role, f"media.factory.{right}", True)
    media.set_permissions(permissions)


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[3] if len(sys.argv) > 3 else "0")
    # Little delay, and a picture that stands for itself each second.
    media = GstRtspServer.RTSPMediaFactory.new()
    media.set_launch(
        f"( filesrc location={sys.argv[2]} ! jpegdec ! imagefreeze is-live=true"
        " ! video/x-raw,framerate=10/1 ! videoconvert ! video/x-raw,format=I420"
        " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10"
        " ! rtph264pay name=pay0 pt=96 config-interval=1 )")
    media.set_shared(True)
    login = os.environ.get("OCELLUS_LOGIN")
    if login:
        require(login, server, media)
    server.get_mount_points().add_factory("/camera", media)
    if server.attach(None) == 0:
        sys.exit("rtsp-camera: the port is in use")
    Path(sys.argv[1]).write_text(str(server.get_bound_port()))
    loop = GLib.MainLoop()
    # Nobody ends it if its parent was killed.
    parent = os.getppid()
    GLib.timeout_add(500, lambda: os.getppid() == parent or loop.quit())
    loop.run()


main()
