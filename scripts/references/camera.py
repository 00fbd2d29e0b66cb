# SPDX-License-Identifier: Apache-2.0
"""Writes what ffmpeg makes of camera frames, and Pillow of scaled JPEGs, to Tests/Fixtures/camera.

    python3 -m venv .venv && .venv/bin/pip install pillow==13.0.0
    .venv/bin/python scripts/references/camera.py        (after images.py; ffmpeg 5.1)

frame-420.yuv, frame-422.yuv, frame-444.yuv
              one photograph as planes Y, U, V
colours.png   those frames as RGB, one below the other: for each file, for each matrix (bt601, bt709,
              bt2020), for each range (limited, full)
scaled.txt    JPEG, denominator, width, height, CRC-32 of the RGB bytes

The conversion is swscale's where it is exact: bicubic chroma, rounded, at full resolution. Its default
for a picture that keeps its size repeats chroma and rounds in table steps.
"""

import pathlib
import subprocess
import zlib

from PIL import Image

IMAGES = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/images"
OUT = IMAGES.parent / "camera"
SIZE = (64, 48)
ACCURATE = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
MATRICES = ("bt601", "bt709", "bt2020")
RANGES = ("tv", "pc")
# The same samples in other orders, which swscale must see in the same colours.
PACKED = {"yuv420p": ("nv12",), "yuv422p": ("yuyv422", "uyvy422"), "yuv444p": ()}


def ffmpeg(picture, input_format, scale, output_format):
    """Raw bytes through one scale filter."""
    raw = ("-f", "rawvideo", "-pix_fmt")
    command = ["ffmpeg", "-v", "error", *raw, input_format, "-s", "x".join(map(str, SIZE)), "-i", "-"]
    command += ["-vf", f"scale={scale}:{ACCURATE}", *raw, output_format, "-"]
    return subprocess.run(command, input=picture, stdout=subprocess.PIPE, check=True).stdout


def rgb(frame, input_format, matrix, color_range):
    scale = f"in_color_matrix={matrix}:in_range={color_range}:out_range=pc"
    return ffmpeg(frame, input_format, scale, "rgb24")


def packed(frame, name):
    """Planes in the order of a packed format."""
    luma_count = SIZE[0] * SIZE[1]
    luma, chroma = frame[:luma_count], frame[luma_count:]
    u, v = chroma[: len(chroma) // 2], chroma[len(chroma) // 2 :]
    if name == "nv12":
        return luma + bytes(sample for pair in zip(u, v) for sample in pair)
    quads = zip(luma[::2], u, luma[1::2], v)
    return bytes(
        sample
        for y0, u0, y1, v0 in quads
        for sample in ((y0, u0, y1, v0) if name == "yuyv422" else (u0, y0, v0, y1))
    )


def write_colours():
    photograph = Image.open(IMAGES / "coffee-progressive.jpg").convert("RGB")
    width = SIZE[1] * photograph.width // photograph.height
    left = (width - SIZE[0]) // 2
    picture = photograph.resize((width, SIZE[1])).crop((left, 0, left + SIZE[0], SIZE[1]))
    pictures = []
    for planar, others in PACKED.items():
        frame = ffmpeg(picture.tobytes(), "rgb24", "out_color_matrix=bt601:out_range=tv", planar)
        (OUT / f"frame-{planar[3:6]}.yuv").write_bytes(frame)
        for matrix in MATRICES:
            for color_range in RANGES:
                pictures.append(rgb(frame, planar, matrix, color_range))
                for other in others:
                    same = rgb(packed(frame, other), other, matrix, color_range)
                    worst = max(abs(a - b) for a, b in zip(same, pictures[-1], strict=True))
                    assert worst <= 1, f"{other} is {worst} from {planar}"
    size = (SIZE[0], SIZE[1] * len(pictures))
    Image.frombytes("RGB", size, b"".join(pictures)).save(OUT / "colours.png", optimize=True)


def write_scaled():
    lines = []
    for name in ("small-420.jpg", "small-444.jpg", "small-gray.jpg", "chelsea.jpg"):
        for denominator in (1, 2, 4, 8):
            with Image.open(IMAGES / name) as picture:
                mode = picture.mode
                width, height = (-(-side // denominator) for side in picture.size)
                picture.draft(mode, tuple(side // denominator for side in picture.size))
                assert picture.size == (width, height), f"{name}: {picture.size}"
                pixels = picture.convert("RGB").tobytes()
            lines.append(f"{name} {denominator} {width} {height} {zlib.crc32(pixels)}")
    (OUT / "scaled.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write_colours()
    write_scaled()
    print(sum(path.stat().st_size for path in OUT.iterdir()), "bytes")
