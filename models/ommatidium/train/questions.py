# SPDX-License-Identifier: Apache-2.0
"""Questions about a window of a story, balanced, in the words that people use.

Every question is (kind of question, text, answer, kind of thing asked about or -1, noun as it stands in the text).
"""
from typing import NamedTuple

import numpy as np

import kinds
from facts import Facts
from kinds import NAMES, NUMBERS, article

FORMS = {      # {a}: "a cup", {x}: "cup", {s}: "cups"
    "exist": ["is there {a}", "is there {a}", "is there {a}", "is there {a} now", "do you see {a}", "do you see {a}", "can you see {a}",
              "is {a} there", "are there any {s}", "do you see any {s}", "is there {a} in the picture", "is a {x} there", "is there a {x}"],
    "count": ["how many {s} are there", "how many {s} are there", "how many {s} do you see", "how many {s} can you see",
              "how many {s}", "count the {s}", "how many {s} are there now", "how many {s} are in the picture"],
    "where": ["where is the {x}", "where is the {x}", "where is the {x} now", "where do you see the {x}", "where is {a}"],
    "motion": ["which way did the {x} move", "which way did the {x} move", "which way is the {x} moving", "how did the {x} move",
               "where did the {x} go", "which way did the {x} go", "in which direction did the {x} move"],
    "seen": ["did you see {a}", "did you see {a}", "was there {a}", "have you seen {a}", "did you see any {s}", "was there {a} at any time"],
    "moved": ["did the {x} move", "is the {x} moving", "did {a} move", "has the {x} moved"],
    "arrived": ["did {a} appear", "did {a} come in", "is there a new {x}"],
    "departed": ["did the {x} leave", "did {a} leave", "did {a} disappear", "is the {x} gone"],
    "what": ["what is this", "what do you see", "what do you see", "what is there", "what is that", "what can you see",
             "what is in the picture", "what is it", "what do you see now", "what's this"],
    "leftmost": ["what is on the left", "what is furthest left", "what is furthest to the left", "what do you see on the left"],
    "rightmost": ["what is on the right", "what is furthest right", "what is furthest to the right", "what do you see on the right"],
    "total": ["how many things are there", "how many things do you see", "how many objects are there", "count all things"],
    "light": ["is the light on", "is the light on", "is the light on now", "is it bright"],
    "dark": ["is it dark", "is the light off"],
    "light change": ["did the light change", "what happened to the light", "has the light changed"],
    "what moved": ["what moved", "what moved", "what is moving", "which thing moved", "what has moved"],
    "appeared": ["what appeared", "what is new", "what came in", "what has appeared"],
    "left": ["what left", "what disappeared", "what went away", "what is gone", "what has left"],
}
STRANGERS = ("banana bus broccoli table horse tree house train bicycle truck cow sheep elephant bear zebra giraffe hat bag tie spoon fork "
             "knife bowl sandwich carrot cake bed toilet mouse keyboard book vase toy door window lamp mirror shoe hand flower pear grape "
             "lime plum pen box robot drone snake fish frog duck piano guitar wheel key bench kite can phone").split()


class Question(NamedTuple):
    kind: str
    text: str
    answer: str
    thing: int
    noun: str      # or the last word of a question about the light


def plural_of(noun: str) -> str:
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


class Asker:
    """Draws questions. `plain` keeps to each kind's first form and name, for evaluation tables."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.out: list[Question] = []

    def put(self, kind: str, form: str, answer: str, thing: int = -1, stranger: str = "") -> None:
        text, noun = FORMS[form][int(self.rng.integers(len(FORMS[form])))], ""
        if thing >= 0 or stranger:
            name = stranger or NAMES[thing]
            plural = plural_of(name)
            if thing >= 0:
                plural, others = kinds.KINDS[name]
                if others and self.rng.random() < .12:
                    name = others[int(self.rng.integers(len(others)))]
                    plural = plural_of(name)
            noun = plural if "{s}" in text else name
            text = text.format(a=article(name), x=name, s=plural)
        elif kind in ("light", "light change"):
            noun = text.split()[-1]
        chance = self.rng.random(3)
        if chance[0] < .6:
            text = text[0].upper() + text[1:]
        if chance[1] < .75:
            text += "?"
        self.out.append(Question(kind, text, answer, thing if not stranger else -1, noun))


def yes(truth: bool) -> str:
    return "yes" if truth else "no"


def about_kinds(ask: Asker, facts: Facts) -> None:
    """Balanced questions that name a kind of thing."""
    rng = ask.rng
    here = [k for k in facts.kinds_where(facts.now) if not facts.is_unsure(k)]
    seen = facts.kinds_where(facts.seen)
    gone = [k for k in seen if facts.count(k) == 0]
    others = [int(k) for k in rng.permutation(kinds.COUNT) if not (facts.kind == k).any() and k not in facts.known.unsure]
    for kind in here:
        ask.put("exist", "exist", "yes", kind)
    for kind in (gone + others)[:max(1, len(here))]:
        ask.put("exist", "exist", "no", kind)
    if rng.random() < .1 and facts.known.complete:
        ask.put("exist", "exist", "no", stranger=STRANGERS[int(rng.integers(len(STRANGERS)))])
    for kind in here + others[:int(rng.random() < .35)]:
        if facts.count(kind) is None:
            continue
        ask.put("count", "count", NUMBERS[min(5, facts.count(kind))], kind)
    for kind in here:
        place = facts.place(kind)
        if place is not None:
            ask.put("where", "where", kinds.PLACES[place], kind)
    if seen:
        ask.put("seen", "seen", "yes", (gone + seen)[0] if rng.random() < .5 else seen[int(rng.integers(len(seen)))])
    ask.put("seen", "seen", "no", others[2])
    if facts.frames == 1:
        return
    for kind in seen:
        motion = facts.motion(kind)
        if motion is not None and (motion or rng.random() < .4):
            ask.put("motion", "motion", kinds.DIRECTIONS[motion], kind)
        if motion is not None and rng.random() < .4:
            ask.put("moved", "moved", yes(motion > 0), kind)
    steady = [k for k in seen if not facts.unsure_change[facts.of(k)].any()]
    for form, happened in (("arrived", facts.appeared), ("departed", facts.left)):
        did = [k for k in steady if happened[facts.of(k)].any()]
        did_not = [k for k in steady if k not in did]
        if did and rng.random() < .8:
            ask.put(form, form, "yes", did[0])
        if did_not and rng.random() < .35:
            ask.put(form, form, "no", did_not[0])


def about_the_scene(ask: Asker, facts: Facts) -> None:
    """Questions that name nothing."""
    rng = ask.rng
    ask.put("light", "light", yes(facts.lit[-1]))
    ask.put("light", "dark", yes(not facts.lit[-1])) if rng.random() < .5 else None
    stranger_here = bool((facts.now & (facts.kind < 0)).any())
    if not facts.unsure_now.any() and not stranger_here:
        if facts.known.complete:
            ask.put("total", "total", NUMBERS[min(5, int(facts.now.sum()))])
        order = [i for i in np.argsort(facts.path[:, -1, 0]) if facts.now[i]]
        names = list(dict.fromkeys(NAMES[facts.kind[i]] for i in order))
        if len(names) == 1 or (not names and facts.known.complete):
            ask.put("what", "what", names[0] if names else "nothing")
        elif 1 < len(names) <= 3:
            ask.put("list", "what", " and ".join(names))
        if len(names) > 1 and facts.known.placed:
            x = facts.path[order, -1, 0]
            if x[1] - x[0] >= .1:
                ask.put("side", "leftmost", NAMES[facts.kind[order[0]]])
            if x[-1] - x[-2] >= .1:
                ask.put("side", "rightmost", NAMES[facts.kind[order[-1]]])
    if facts.frames == 1:
        return
    turned = facts.lit[-1] != facts.lit[0]
    ask.put("light change", "light change", "no" if not turned else "turned on" if facts.lit[-1] else "turned off")
    known = facts.kind >= 0
    unclear = [d is None and s for d, s in zip(facts.direction, facts.seen)]
    moving = np.array([bool(d) for d in facts.direction], bool)
    events = [("what moved", moving, any(unclear)), ("appeared", facts.appeared, facts.unsure_change.any()),
              ("left", facts.left, facts.unsure_change.any())]
    for form, mask, unsure in events:
        what = facts.kinds_where(mask)
        if unsure or (mask & ~known).any() or len(what) > 1 or (not what and rng.random() < .6):
            continue
        ask.put(form, form, NAMES[what[0]] if what else "nothing")


def questions(rng: np.random.Generator, facts: Facts, count: int | None) -> list[Question]:
    """`count` questions in random order, or all that the window gives (None)."""
    chosen: list[Question] = []
    while True:
        named, scene = Asker(rng), Asker(rng)
        about_kinds(named, facts)
        about_the_scene(scene, facts)
        if count is None:
            return named.out + scene.out
        missing = count - len(chosen)      # a second round asks the same things in other words
        first = [named.out[i] for i in rng.permutation(len(named.out))]
        rest = [scene.out[i] for i in rng.permutation(len(scene.out))]
        reserved = min(len(rest), max(5, missing - len(first)))
        chosen += (first[:max(0, missing - reserved)] + rest[:reserved])[:missing]
        if len(chosen) == count:
            return chosen


def report(facts: Facts) -> str:
    """The window as a written report, for the decoder's warm start: things from left to right, then the light."""
    words, piles = [], set()
    for i in np.argsort(facts.path[:, -1, 0] if len(facts.path) else []):
        kind = int(facts.kind[i])
        if kind < 0 or not facts.seen[i]:
            continue
        if (facts.kind == kind).sum() >= 5:
            if kind not in piles:
                words.append("many " + kinds.KINDS[NAMES[kind]][0])
            piles.add(kind)
            continue
        shown = np.flatnonzero(facts.visible[i] > .15)
        place = place_words(facts.path[i, shown[-1]])
        turn = ""
        if facts.frames > 1:
            turn = " " + kinds.DIRECTIONS[facts.direction[i] or 0]
            turn += " new" if facts.appeared[i] else " gone" if facts.left[i] or not facts.now[i] else ""
        words.append(f"{NAMES[kind]} {place}{turn}")
    light = "light" if facts.lit[-1] else "dark"
    if facts.lit[0] != facts.lit[-1]:
        light = "turned " + ("on" if facts.lit[-1] else "off")
    return " ".join(words + [light])


def place_words(centre: np.ndarray) -> str:
    from facts import place_of
    place = place_of(centre, slack=-1.)
    return kinds.PLACES[place]
