#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program with a view as a job of a terminal, in the background and in the foreground.

usage: view.py FOLDER PROGRAM ARGUMENTS...

The program gets `--source PIPE` and a picture each 100 ms. In the background it must neither draw nor be
stopped (SIGTTOU); in the foreground it must draw; SIGTERM must end it in both. FOLDER gets what the
terminal shows. The exit code is 0 if all that is true, else a line says what is not.
"""
import os
import pty
import signal
import sys
import time
from pathlib import Path

SCREEN = b"\x1b[?1049h"
PICTURE = b"P6\n4 4\n255\n" + bytes(48)


def state(process):
    """A letter: R, S, T (stopped), Z (has ended)."""
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def until(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.1)
    return False


def feed(pipe):
    """Pictures, for every reader that comes, until it is killed."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    while True:
        with open(pipe, "wb", buffering=0) as out:
            try:
                while True:
                    out.write(PICTURE)
                    time.sleep(0.1)
            except BrokenPipeError:
                pass


class Job:
    """A program in the background of its terminal, as a shell starts it; SIGTERM ends it."""

    def __init__(self, arguments, notes):
        self.notes = Path(notes)
        self.notes.write_bytes(b"")
        self.process = os.fork()
        if self.process == 0:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.dup2(os.open(notes, os.O_WRONLY), 2)
            os.execvp(arguments[0], arguments)
        os.setpgid(self.process, self.process)

    def is_in_background(self):
        return until(lambda: b"shows nothing in the background" in self.notes.read_bytes())

    def runs(self):
        time.sleep(2)
        return state(self.process) in "RS"

    def ends(self):
        os.kill(self.process, signal.SIGTERM)
        has_ended = until(lambda: state(self.process) == "Z")
        if not has_ended:
            os.kill(self.process, signal.SIGKILL)
        _, status = os.waitpid(self.process, 0)
        return has_ended and status == 0


def shell(arguments, notes):
    """The leader of the session, which has the terminal; tells what is wrong."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    job = Job(arguments, notes)
    checks = [("it says that it is in the background", job.is_in_background()),
              ("it runs there", job.runs()),
              ("it ends there", job.ends())]
    job = Job(arguments, notes)
    checks.append(("it starts there again", job.is_in_background()))
    print("to the foreground", flush=True)
    os.tcsetpgrp(0, job.process)
    checks += [("it runs in the foreground", job.runs()), ("it ends there", job.ends())]
    wrong = [what for what, holds in checks if not holds]
    print("\nwrong:", ", ".join(wrong) or "nothing", flush=True)


def main():
    folder = Path(sys.argv[1])
    pipe = folder / "view.pipe"
    os.mkfifo(pipe)
    feeder = os.fork()
    if feeder == 0:
        feed(pipe)
    process, terminal = pty.fork()
    if process == 0:
        try:
            shell(sys.argv[2:] + ["--source", str(pipe)], folder / "view.err")
        finally:
            os._exit(0)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            break  # all have closed it
    os.waitpid(process, 0)
    os.kill(feeder, signal.SIGKILL)
    (folder / "view.out").write_bytes(shown)
    before, _, after = shown.partition(b"to the foreground")
    if SCREEN in before:
        sys.exit("it draws in the background")
    if SCREEN not in after:
        sys.exit("it does not draw in the foreground")
    if b"wrong: nothing" not in after:
        sys.exit(after[after.rfind(b"wrong"):].decode(errors="replace"))


main()
