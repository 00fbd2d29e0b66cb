# SPDX-License-Identifier: Apache-2.0
"""Writes the pictures of Tests/Fixtures/images and what Pillow makes of them.

    python3 -m venv .venv && .venv/bin/pip install pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
    .venv/bin/python scripts/references/images.py

decoded.txt   file, width, height, CRC-32 of the upright RGB bytes
resized.txt   file, strategy, filter, width, height, crop or -, mean; the i-th line's RGB bytes are the
              i-th picture in resized.bin
"""

import io
import pathlib
import zlib

import numpy
import PIL
from PIL import Image, ImageOps
from skimage import data

OUT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/images"
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
HALF = (0.5, 0.5, 0.5)


def photograph(array, width):
    """A photograph scaled to a width."""
    picture = Image.fromarray(array)
    return picture.resize((width, width * picture.height // picture.width), Image.Resampling.LANCZOS)


def noise(width, height, channels=3):
    """Seeded noise: every byte value next to every other one."""
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(numpy.random.default_rng(7).integers(0, 256, shape, dtype=numpy.uint8))


def gradient(width, height):
    """A smooth ramp in each channel."""
    y, x = numpy.mgrid[0:height, 0:width]
    ramps = (255 * x // (width - 1), 255 * y // (height - 1), 255 * (x + y) // (width + height - 2))
    return Image.fromarray(numpy.stack(ramps, axis=-1).astype(numpy.uint8))


def write_pictures():
    """The pictures: three photographs, and one small picture of each kind that a decoder meets."""
    chelsea, coffee = photograph(data.chelsea(), 320), photograph(data.coffee(), 300)
    astronaut = photograph(data.astronaut(), 192)
    chelsea.save(OUT / "chelsea.jpg", quality=90)
    coffee.save(OUT / "coffee-progressive.jpg", quality=85, progressive=True, subsampling="4:2:2")
    astronaut.save(OUT / "astronaut.png")
    small = chelsea.resize((61, 41))
    small.save(OUT / "small-444.jpg", quality=95, subsampling="4:4:4")
    small.save(OUT / "small-420.jpg", quality=75, subsampling="4:2:0")
    small.convert("L").save(OUT / "small-gray.jpg")
    small.convert("CMYK").save(OUT / "small-cmyk.jpg")
    small.save(OUT / "small.png")
    small.convert("L").save(OUT / "small-gray.png")
    small.convert("P", palette=Image.Palette.ADAPTIVE, colors=13).save(OUT / "small-palette.png")
    small.convert("1").save(OUT / "small-1bit.png")
    alpha = small.convert("RGBA")
    alpha.putalpha(gradient(*small.size).getchannel(0))
    alpha.save(OUT / "small-alpha.png")
    small.save(OUT / "small.ppm")
    small.convert("L").save(OUT / "small.pgm")
    gradient(97, 3).save(OUT / "gradient.png")
    noise(64, 48).save(OUT / "noise.png")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        small.save(OUT / f"orientation-{orientation}.jpg", quality=75, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    small.save(OUT / "orientation-6.png", exif=exif)


def upright(name):
    """A picture as Ocellus is to see it."""
    with Image.open(OUT / name) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def write_decoded():
    lines = []
    for path in sorted(OUT.iterdir()):
        if path.suffix in (".jpg", ".png", ".ppm", ".pgm") and "cmyk" not in path.name:
            picture = upright(path.name)
            lines.append(f"{path.name} {picture.width} {picture.height} {zlib.crc32(picture.tobytes())}")
    (OUT / "decoded.txt").write_text("\n".join(lines) + "\n")


def prepared(picture, strategy, resample, width, height, mean):
    """The strategies of the specification, in Pillow's operations.

    crop is CLIPImageProcessor of transformers, pad is expand2square of LLaVA before it.
    """
    if strategy == "stretch":
        return picture.resize((width, height), resample)
    if strategy == "pad":
        side = max(picture.size)
        square = Image.new("RGB", (side, side), tuple(int(255 * value) for value in mean))
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        picture = square
    if picture.width * height <= picture.height * width:
        size = (width, int(width * picture.height / picture.width))
    else:
        size = (int(height * picture.width / picture.height), height)
    resized = picture.resize(size, resample)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return resized.crop((left, top, left + width, top + height))


def write_resized():
    cases = []
    for strategy in ("stretch", "crop", "pad"):
        for name in FILTERS:
            cases.append(("chelsea.jpg", strategy, name, 64, 64, None, CLIP_MEAN))
        cases.append(("coffee-progressive.jpg", strategy, "bicubic", 56, 56, None, HALF))
        cases.append(("orientation-6.jpg", strategy, "bilinear", 48, 48, None, CLIP_MEAN))
        cases.append(("gradient.png", strategy, "bicubic", 40, 40, None, HALF))
        cases.append(("astronaut.png", strategy, "bicubic", 33, 47, (50, 10, 101, 87), CLIP_MEAN))
        cases.append(("astronaut.png", strategy, "bilinear", 47, 33, (191, 0, 1, 192), HALF))
        cases.append(("noise.png", strategy, "bicubic", 70, 70, (3, 5, 41, 43), CLIP_MEAN))
        cases.append(("noise.png", strategy, "bilinear", 5, 3, None, CLIP_MEAN))
        cases.append(("noise.png", strategy, "bicubic", 48, 48, (7, 0, 48, 48), HALF))
        cases.append(("noise.png", strategy, "bicubic", 16, 16, (63, 47, 1, 1), HALF))
        cases.append(("noise.png", strategy, "bicubic", 1, 1, None, HALF))
        cases.append(("small.pgm", strategy, "bicubic", 31, 31, None, HALF))
        # Narrow pictures, of which Pillow 13 sums the rows first, and two at the edge of its rule.
        for name in FILTERS:
            cases.append(("astronaut.png", strategy, name, 40, 40, (50, 10, 60, 180), CLIP_MEAN))
            cases.append(("noise.png", strategy, name, 6, 7, (5, 0, 11, 48), HALF))
            cases.append(("noise.png", strategy, name, 20, 16, (9, 1, 15, 47), HALF))
            cases.append(("noise.png", strategy, name, 10, 20, (9, 1, 20, 40), HALF))
            cases.append(("noise.png", strategy, name, 10, 20, (9, 1, 20, 41), HALF))
    lines, pixels = [], io.BytesIO()
    for name, strategy, filter_name, width, height, crop, mean in cases:
        picture = upright(name)
        if crop:
            picture = picture.crop((crop[0], crop[1], crop[0] + crop[2], crop[1] + crop[3]))
        result = prepared(picture, strategy, FILTERS[filter_name], width, height, mean)
        pixels.write(result.tobytes())
        region = ",".join(map(str, crop)) if crop else "-"
        colour = ",".join(map(str, mean))
        lines.append(f"{name} {strategy} {filter_name} {width} {height} {region} {colour}")
    (OUT / "resized.txt").write_text("\n".join(lines) + "\n")
    (OUT / "resized.bin").write_bytes(pixels.getvalue())


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    write_pictures()
    write_decoded()
    write_resized()
    print(f"Pillow {PIL.__version__}, {sum(path.stat().st_size for path in OUT.iterdir())} bytes")
