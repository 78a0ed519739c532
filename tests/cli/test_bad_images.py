"""Images that do not fit translation or completion: one sentence, or used with a remark; nothing is lost."""

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sparring.arguments import called_from_shell
from sparring.data.facts import Facts
from sparring.errors import SparringError
from sparring.model import Model
from sparring.randomness import seeded
from sparring.recipe import with_fields
from sparring.recipes import RECIPES
from sparring.runs.display import Silent

Run = Callable[..., tuple[int, str]]
Pixels = NDArray[np.uint8]

SIDE, COUNT = 16, 12
LONG = (30, 20_000)
TINY = ("--samples", 8, "--batch", 4, "--width", 4)
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "PAIRS": ("images/pix2pix", {"discriminator_width": 4}),
    "DOMAINS": ("images/cyclegan", {"blocks": 1}),
    "FILL": ("images/fill", {"discriminator_width": 4}),
    "LARGE": ("images/super-resolution", {"discriminator_width": 4, "factor": 2}),
    "COLOUR": ("images/colourise", {"discriminator_width": 4}),
}
"""Word for an untrained model → its recipe and fields."""


def box(seed: int, shape: tuple[int, ...] = (SIDE, SIDE, 3)) -> Pixels:
    pixels = np.full(shape, seed, np.uint8)
    pixels[seed % 8 :, : 8 + seed % 5] = 200
    return pixels


def noisy(seed: int) -> Pixels:
    """The same shape with more detail."""
    return box(seed) // 2 + np.random.default_rng(seed).integers(0, 100, (SIDE, SIDE, 3), dtype=np.uint8)


def write(folder: Path, images: Iterable[Pixels], name: str = "{}.png", broken: Iterable[int] = ()) -> None:
    folder.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / name.format(number))
    for number in broken:
        path = folder / name.format(number)
        path.write_bytes(path.read_bytes()[:60])


def two(folder: Path, counts: tuple[int, int] = (COUNT, COUNT), names: str = "AB", **broken: Any) -> None:
    write(folder / names[0], map(noisy, range(counts[0])), "p{}.png", **broken)
    write(folder / names[1], map(box, range(counts[1])), "p{}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bad data in "d", of inputs in "i", of masks in "m", and of untrained models."""
    top = tmp_path_factory.mktemp("bad")
    two(top / "d" / "unequal", (COUNT, 5))
    two(top / "d" / "one", (1, COUNT))
    two(top / "d" / "one pair", (1, 1))
    two(top / "d" / "one broken", broken=[3])
    two(top / "d" / "all broken", broken=range(COUNT))
    write(top / "d" / "grey" / "A", map(noisy, range(COUNT)), "p{}.png")
    write(top / "d" / "grey" / "B", (box(seed)[..., 0] for seed in range(COUNT)), "p{}.png")
    write(top / "d" / "odd", (box(seed, (SIDE, 31, 3)) for seed in range(COUNT)))
    for name, shape in (("dots", (1, 1, 3)), ("strips", (*LONG, 3))):
        for folder in "AB":
            write(top / "d" / name / folder, (box(seed, shape) for seed in range(4)), "p{}.png")
    (top / "d" / "empty").mkdir()

    write(top / "i" / "one", [noisy(0)])
    write(top / "i" / "two", [noisy(0), noisy(1)])
    write(top / "i" / "some broken", [noisy(0), noisy(1), noisy(2)], broken=[1])
    write(top / "i" / "broken", [noisy(0)], broken=[0])
    write(top / "i" / "sizes", [noisy(0)[:1, :1], box(1, (*LONG, 3)), box(2, (LONG[1], LONG[0])), noisy(3)[..., 0]])

    hole = box(3, (SIDE, SIDE)) // 200 * np.uint8(255)
    masks = {"size": [hole[1:]], "full": [hole | 255], "empty": [hole * 0], "one full": [hole | 255, hole]}
    for name, images in {**masks, "three": [hole] * 3}.items():
        write(top / "m" / name, images, "m{}.png" if name == "three" else "{}.png")
    write(top / "m" / "broken", [hole], broken=[0])

    coding = {"pair": {"sides": ["A", "B"], "channels": [3, 3]}}
    facts = Facts("x", "images", COUNT, (3, SIDE, SIDE), "0" * 64, ("A", "B"), coding=coding)
    for word, (name, fields) in MODELS.items():
        recipe = with_fields(RECIPES[name], {"width": 4, "resolution": SIDE, **fields})
        with seeded(0, "weights"):
            Model(recipe.game(facts), recipe, name, facts, {"seed": 0}).save_pretrained(top / word)
    return top


def files(*folders: Path) -> dict[str, int]:
    every = (path for folder in folders for path in folder.rglob("*"))
    return {str(path): path.stat().st_mtime_ns if path.is_file() else 0 for path in every}


def in_python(verb: str, *words: Any) -> Any:
    """Call the function of a command with its words: ("apply", "FILL", "in/", "--out", "made")."""
    first = next((number for number, word in enumerate(words) if str(word).startswith("--")), len(words))
    options = {str(name)[2:]: value for name, value in zip(words[first::2], words[first + 1 :: 2], strict=True)}
    display = {} if verb in ("inspect", "sample") else {"display": Silent()}
    return getattr(import_module(f"sparring.api.{verb}"), verb)(*words[:first], **options, **display)


def spelled(line: str, place: Path) -> list[Any]:
    """Return the words of a line; those with a slash lie in ``place``, with dots for spaces in their names."""
    known = dict.fromkeys(MODELS)
    return [
        str(place / word.replace(".", " ")) if word[:2] in ("d/", "i/", "m/") or word in known else word
        for word in line.split()
    ]


REFUSED = [
    ("inspect d/one", "the domains A, B with too few images in one of them"),
    ("inspect d/one --pairs folders", "1 readable pair in"),
    ("inspect d/one.pair --pairs folders", "1 readable pair in"),
    ("inspect d/all.broken --pairs folders", "no readable images in"),
    ("inspect d/all.broken --recipe images/cyclegan", "no two domains in"),
    ("inspect d/odd --pairs halves", "an odd width, so that it has no halves"),
    ("inspect d/empty", "nothing in"),
    ("train d/unequal --recipe images/pix2pix", "Give --pairs folders"),
    ("train d/one --recipe images/cut", "the domains A, B with too few images in one of them"),
    ("train d/one --recipe images/stargan", "the domains A, B with too few images in one of them"),
    ("train d/one/A --to d/one/B", "the domains A, B with too few images in one of them"),
    ("train d/one/A --to d/empty", "nothing in"),
    ("train d/one.pair --pairs folders", "1 readable pair in"),
    ("train d/unequal/A --recipe images/spade", "no pairs in"),
    ("train d/unequal/A --recipe images/stargan", "no two domains in"),
    ("train d/grey/B --recipe images/colourise", "expected colour images"),
    ("train d/grey --recipe images/pix2pix --resolution 20", "sides that are multiples of 8"),
    ("apply PAIRS d/empty", "nothing in"),
    ("apply PAIRS i/broken", "0.png, which cannot be read"),
    ("apply PAIRS i/one --mask m/empty", "Leave it out"),
    ("apply DOMAINS i/one --to C", "expected one of A, B"),
    ("apply FILL i/one --mask m/size", "a mask of 16 × 15 pixels for 0.png, which has 16 × 16 pixels"),
    ("apply FILL i/one --mask m/full", "a mask that is white everywhere for 0.png"),
    ("sample FILL --input i/one --mask m/full", "a mask that is white everywhere"),
    ("apply FILL i/two --mask m/three", "3 masks for 2 images"),
    ("apply FILL i/one --mask m/broken", "the mask 0.png, which cannot be read"),
    ("apply FILL i/one --mask d/empty", "nothing in"),
    ("apply FILL i/one --mask EMPTY", "a single dot means the current folder"),
]


@pytest.mark.parametrize(("line", "words"), REFUSED)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(
    line: str, words: str, run: Run, place: Path, tmp_path: Path
) -> None:
    given = ["" if word == "EMPTY" else word for word in spelled(line, place)]
    made = tmp_path / "made"
    given += [] if given[0] == "inspect" else ["--out", str(made)]
    before = files(place, tmp_path)
    code, output = run(*given)
    assert code == 2 and "Traceback" not in output, output
    *_, sentence = output.splitlines()
    assert sentence.startswith("sparring: Found ") and words in sentence, output
    with pytest.raises(SparringError) as error, called_from_shell():
        in_python(*given)
    assert sentence == f"sparring: {error.value}"
    assert files(place, tmp_path) == before


USED = [
    ("inspect d/unequal", "A (12), B (5)"),
    ("inspect d/unequal --pairs folders", "Left out 7 files"),
    ("inspect d/grey", "B is grey and A in colour"),
    ("inspect d/one.broken", "the other image is set aside, too"),
    ("inspect d/all.broken", "No image of A is readable; trains on the other 1 class."),
    ("inspect d/dots", "resolution = [8, 8]"),
    ("inspect d/strips", "which keeps the central 1.2% of them"),
    ("train d/unequal --blocks 1", "Next:    sparring apply made INPUTS --out applied/"),
    ("train d/unequal --pairs folders --discriminator-width 4", "Next:    sparring apply made INPUTS --out applied/"),
    (
        "train d/grey --recipe images/pix2pix --discriminator-width 4",
        "Next:    sparring apply made INPUTS --out applied/",
    ),
    (
        "train d/one.broken --recipe images/pix2pix-hd --discriminator-width 4",
        "Next:    sparring apply made INPUTS --out applied/",
    ),
    ("train d/dots --pairs folders --discriminator-width 4", "Next:    sparring apply made INPUTS --out applied/"),
    ("train d/dots --blocks 1", "Next:    sparring apply made INPUTS --out applied/"),
    ("train d/strips --pairs folders --discriminator-width 4", "Next:    sparring apply made INPUTS --out applied/"),
    (
        "train d/strips --recipe images/fill --discriminator-width 4",
        "Next:    sparring apply made INPUTS --mask MASKS --out applied/",
    ),
    ("train d/strips --blocks 1", "Next:    sparring apply made INPUTS --out applied/"),
    ("apply PAIRS i/some.broken", "Skipped 1.png. Found 1.png, which cannot be read"),
    ("apply FILL i/two --mask m/one.full", "Skipped 0.png. Found a mask that is white everywhere"),
    ("apply FILL i/one --mask m/empty", "The mask of 0.png is empty: nothing was filled."),
]


@pytest.mark.slow
@pytest.mark.parametrize(("line", "words"), USED)
def test_what_can_be_used_is_used_and_the_rest_is_said(
    line: str, words: str, run: Run, place: Path, tmp_path: Path
) -> None:
    given = spelled(line, place)
    before = files(place)
    given += {"inspect": [], "apply": ["--out", "made"], "train": [*TINY, "--out", "made"]}[given[0]]
    code, output = run(*given)
    assert code == 0 and words in output, output
    assert files(place) == before


@pytest.mark.parametrize("word", MODELS)
def test_every_input_keeps_its_size(word: str, run: Run, place: Path, tmp_path: Path) -> None:
    code, output = run("apply", place / word, place / "i" / "sizes", "--out", "made")
    assert code == 0 and "Wrote 4 samples" in output, output
    scale = 2 if word == "LARGE" else 1
    for path in (place / "i" / "sizes").iterdir():
        with Image.open(path) as before, Image.open(tmp_path / "made" / path.name) as after:
            assert after.size == (scale * before.width, scale * before.height)
