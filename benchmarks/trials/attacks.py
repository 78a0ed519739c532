"""The frame of a hostile case: verbs run on input of a stranger, in a folder beside files that nothing may touch."""

import os
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import verbs
from bases import Bases
from outcomes import Judgement, Outcome
from verbs import Seen

MARK = "PWNED"
"""Word of every hostile name, by which it is found again in what is printed or written."""
MARKUP = (f"<img src={MARK}", f"<script>{MARK}", f"[{MARK}](", f"\n# {MARK}")
"""Markup that must not be found raw in a page: of HTML, which Markdown passes on, then of Markdown."""


@dataclass(frozen=True)
class Attack:
    """One hostile input.

    Args:
        kind: its row in the table.
        name: what is done, in a few words.
        play: (folder of the case, materials) → a judgement per verb.
    """

    kind: str
    name: str
    play: Callable[[Path, "Materials"], Iterable[Judgement]]


@dataclass(frozen=True)
class Materials:
    """Healthy inputs, and large ones that were made before."""

    bases: Bases
    bombs: Path


def attempt(
    folder: Path,
    verb: Callable[..., Seen],
    *words: Any,
    refuse: bool = False,
    wrong: Callable[[Seen], bool] = lambda seen: False,
) -> Judgement:
    """Run a verb and judge what a user would see of it.

    Args:
        folder: the folder of the case; what lies in its folder ``outside`` must not change at all.
        verb: called with the folder and ``words``.
        words: further arguments of the verb.
        refuse: whether only a refusal is right.
        wrong: tells from what was seen that the input was misunderstood, which must not happen without a word.
    """
    os.environ["SPARRING_CACHE"] = str(folder / "cache")
    before = verbs.listing(folder)
    seen = verb(folder, *words)
    changed = verbs.differences(before, verbs.listing(folder))
    name = getattr(verb, "__name__", "command")
    if name == "command":
        name = str(words[0])
    found = _judged(seen, changed, refuse, wrong)
    return found._replace(reason=f"{name}: {found.reason}" if found.reason else "")


def _judged(seen: Seen, changed: list[str], refuse: bool, wrong: Callable[[Seen], bool]) -> Judgement:
    """Return the judgement of what was seen, the most severe fault first."""
    if outside := [name for name in changed if name.startswith("outside")]:
        return Judgement(Outcome.SILENT, f"changed a file outside ({Path(outside[0]).name})")
    if seen.error is not None:
        return seen.error
    if raw := list(verbs.raw_characters(seen.text)):
        return Judgement(Outcome.SILENT, f"raw characters on the terminal: {raw[0]}")
    if unquoted_commands(seen.text):
        return Judgement(Outcome.SILENT, "a suggested command is not quoted")
    if seen.refused and changed:
        return Judgement(Outcome.SILENT, f"refused, but left {Path(changed[-1]).name}")
    if seen.refused:
        return Judgement(Outcome.SENTENCE)
    if refuse:
        return Judgement(Outcome.SILENT, "accepted")
    if wrong(seen):
        return Judgement(Outcome.SILENT, "misunderstood")
    return Judgement(Outcome.USED)


def unquoted_commands(text: str) -> list[str]:
    """Return the suggested commands in a text that a shell would not take as one command with whole words."""
    found = []
    for line in verbs.words_of_commands(text):
        bare = re.sub(r"'[^']*'|\"[^\"$`\\\\]*\"", "", line)
        try:
            words = shlex.split(line)
        except ValueError:
            words = [MARK]
        broken = MARK in words or "touch" in words or any(word.startswith(f"-{MARK}") for word in words)
        if MARK in line and (broken or re.search(r"[;&|<>$`()!\"']", bare)):
            found.append(line)
    return found


def page(path: Path) -> Judgement:
    """Judge a page that was written: no markup, and no control character, of a stranger may be in it."""
    if not path.exists():
        return Judgement(Outcome.USED)  # The command before was refused, and judged.
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    known = MARKUP if path.suffix == ".md" else MARKUP[:2]
    if found := [markup for markup in known if markup in text]:
        return Judgement(Outcome.SILENT, f"raw markup in {path.name}: {found[0]!r}")
    if raw := list(verbs.raw_characters(text)):
        return Judgement(Outcome.SILENT, f"raw characters in {path.name}: {raw[0]}")
    return Judgement(Outcome.USED)


def outside(folder: Path) -> Path:
    """Return the folder that nothing may change, with a file in it that somebody would miss."""
    place = folder / "outside"
    place.mkdir(exist_ok=True)
    (place / "README.md").write_text("precious\n")
    return place
