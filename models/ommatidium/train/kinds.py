# SPDX-License-Identifier: Apache-2.0
"""The kinds of things that the model knows, and the sizes that every stage shares."""

IMAGE_SIZE = 128        # pixels, both sides
ENCODER_GRID = 8        # cells per side of the encoder's map
TOKEN_GRID = 4          # cells per side after the projector's pooling
CLIP_FRAMES = 8         # frames of a rendered clip; training looks at windows of 1 to 8 of them
FRAME_PERIOD_MS = 500   # the time between two frames that the motions were drawn for

# kind -> (plural, other words for it). A kind's first word is the answer.
KINDS = {
    "apple": ("apples", []),
    "ball": ("balls", []),
    "bird": ("birds", []),
    "boat": ("boats", ["ship"]),
    "bottle": ("bottles", []),
    "camera": ("cameras", []),
    "car": ("cars", []),
    "cat": ("cats", ["kitten"]),
    "chair": ("chairs", []),
    "cup": ("cups", ["mug"]),
    "dog": ("dogs", ["puppy"]),
    "jug": ("jugs", []),
    "kiwi": ("kiwis", []),
    "laptop": ("laptops", ["computer"]),
    "lemon": ("lemons", []),
    "motorbike": ("motorbikes", ["motorcycle"]),
    "onion": ("onions", []),
    "orange": ("oranges", []),
    "peach": ("peaches", []),
    "person": ("people", ["human"]),
    "pizza": ("pizzas", []),
    "plane": ("planes", ["airplane"]),
    "potato": ("potatoes", []),
    "stop sign": ("stop signs", []),
    "tomato": ("tomatoes", []),
    "watch": ("watches", ["clock"]),
}
NAMES = list(KINDS)
COUNT = len(NAMES)

# Kinds with round cut-outs: they lie in piles, and their outline is randomised (the cut-outs are exact discs).
ROUND = {NAMES.index(n) for n in ("apple", "kiwi", "lemon", "onion", "orange", "peach", "potato", "tomato")}
# Kinds that lie about at any angle.
ANY_ANGLE = ROUND | {NAMES.index(n) for n in ("ball", "bottle", "pizza", "watch")}

NUMBERS = ["zero", "one", "two", "three", "four", "many"]   # "many": five or more
DIRECTIONS = ["still", "left", "right", "up", "down"]
PLACES = ["top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"]


def folder(kind: str) -> str:
    """The name of the kind in the folders of cut-outs."""
    return kind.replace(" ", "_")


def article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun
