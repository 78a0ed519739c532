"""A run of any kind of game that is killed can be resumed and ends like an uninterrupted one, bit for bit."""

import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

Command = Callable[..., tuple[int, str]]
Digest = Callable[[Path], dict[str, str]]

RUNS = 50
"""Runs of each kind of game; each is killed at a write, and again at a random instant of its resumption."""
POINTS = ("--batch", 32, "--width", 8, "--latent-size", 2, "--samples", 256)
IMAGES = ("--batch", 16, "--width", 8, "--latent-size", 2, "--samples", 128, "--resolution", 8)
DOMAINS = ("--batch", 16, "--width", 8, "--blocks", 1, "--samples", 128, "--resolution", 8)
INPUTS = ("--batch", 16, "--width", 8, "--discriminator-width", 8, "--samples", 128, "--resolution", 8, "--recipe")
PAIRS = ("--pairs", "halves", *INPUTS)
TOY = ("--batch", 16, "--samples", 256)


def write_points(folder: Path) -> str:
    np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(150, 2)).astype(np.float32))
    return str(folder / "points.npy")


def write_images(folder: Path) -> str:
    """Write noise of two classes, twice as wide as high."""
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 16, 3), dtype=np.uint8)
    np.savez(folder / "images.npz", images=pixels, labels=np.arange(60) % 2)
    return str(folder / "images.npz")


@dataclass(frozen=True)
class Kind:
    """A kind of game: the options of its run, its data, and the toy that has it, if it is none of the recipes."""

    options: tuple[object, ...]
    write: Callable[[Path], str]
    toy: str = ""
    further: dict[str, str] = field(default_factory=dict)


def of_toy(name: str) -> Kind:
    return Kind(TOY, import_module(f"toys.{name}").write, name, {"toy": name})


KINDS = {
    "duel of points": Kind(POINTS, write_points),
    "duel of images with classes": Kind((*IMAGES, "--recipe", "images/r3gan"), write_images),
    "duel with batch norm and dropout": Kind((*IMAGES, "--recipe", "images/dcgan"), write_images),
    "likelihood of points": Kind((*POINTS, "--recipe", "points/vae"), write_points),
    "likelihood of images with classes": Kind((*IMAGES, "--recipe", "images/vae"), write_images),
    "exchange of images": Kind((*DOMAINS, "--recipe", "images/cyclegan", "--pool", 20), write_images),
    "contrast of patches": Kind((*DOMAINS, "--recipe", "images/cut"), write_images),
    "one generator for all domains": Kind((*DOMAINS, "--recipe", "images/stargan", "--critic-turns", 2), write_images),
    "contrast without identity": Kind((*DOMAINS, "--recipe", "images/fastcut"), write_images),
    "duel of pairs": Kind((*PAIRS, "images/pix2pix"), write_images),
    "duel of pairs on several scales": Kind((*PAIRS, "images/pix2pix-hd"), write_images),
    "duel of label maps": Kind((*PAIRS, "images/spade"), write_images),
    "holes to fill": Kind((*INPUTS, "images/fill"), write_images),
    "images to enlarge": Kind((*INPUTS, "images/super-resolution"), write_images),
    "images to colour": Kind((*INPUTS, "images/colourise"), write_images),
    "translation of pairs": of_toy("pairs"),
    "exchange of two domains": of_toy("domains"),
    "policy in two phases": of_toy("tokens"),
    "mixture without gradients": of_toy("clusters"),
    "half of the labels": of_toy("halves"),
}


@dataclass(frozen=True)
class Whole:
    """An uninterrupted run: its data, the digest of its end, and how many stages of writes it went through."""

    kind: Kind
    source: str
    digest: dict[str, str]
    stages: int


@pytest.fixture(scope="module", params=KINDS)
def whole(
    request: pytest.FixtureRequest, command: Command, digest: Digest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Whole]:
    """Train each kind of game without interruption."""
    kind, folder = KINDS[request.param], tmp_path_factory.mktemp("whole")
    source = kind.write(folder)
    words = ("train", source, *kind.options, "--out", folder / "run")
    code, output = command(*words, evaluated=False, stages=True, **kind.further)
    assert code == 0, output
    yield Whole(kind, source, digest(folder / "run"), int(re.findall(r"stages: (\d+)", output)[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(RUNS))
def test_every_kind_of_game_ends_unchanged_after_kills(
    number: int, whole: Whole, command: Command, digest: Digest, tmp_path: Path
) -> None:
    out, chance = tmp_path / "run", random.Random(number)
    words = ("train", whole.source, *whole.kind.options, "--out", out)

    # The kills are spread over the writes of the run; the one after them is at a random instant. A fast run writes less
    # than a slow one, as some writes are due by the clock, so that a late stage may not come.
    stage = 1 + int((number + chance.random()) / RUNS * whole.stages)
    code = 0
    while code == 0 and stage > 0:
        shutil.rmtree(out, ignore_errors=True)
        crash = {"SPARRING_CRASH_AT": f"any:{stage}"}
        code, output = command(*words, environment=crash, evaluated=False, **whole.kind.further)
        stage = stage * 9 // 10
    assert code == -9, output
    if (out / "recipe.json").exists():
        command("resume", out, seconds=chance.uniform(0.02, 0.5), evaluated=False, **whole.kind.further)

    # Continue as a user would; a run that ended before the second kill stays as it is.
    again = ("resume", out) if (out / "recipe.json").exists() else words
    code, output = command(*again, evaluated=False, **whole.kind.further)
    assert code == 0, output
    assert digest(out) == whole.digest
    assert not [path.name for path in (*out.rglob("*.tmp"), *tmp_path.glob(".*.tmp"))], "a partly written file was left"
