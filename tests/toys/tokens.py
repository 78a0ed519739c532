"""Words of six letters, each often the successor in the alphabet of the one before: discrete samples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import one_hot

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.flow import Batch
from sparring.games.game import Game
from sparring.layers.dense import Dense
from sparring.objectives.schedules import constant
from sparring.recipe import Adam
from sparring.rendering.exhibits import Exhibit, Text
from toys.kind import Kind
from toys.policy_game import PolicyGame
from toys.recipe import ToyRecipe

ALPHABET, LENGTH = "abcdefgh", 6


def write(folder: Path) -> str:
    """Write a word per line; half of its letters are the successor of the one before, the others are uniform."""
    random = np.random.default_rng(0)
    words = random.integers(len(ALPHABET), size=(300, LENGTH))
    for place in range(1, LENGTH):
        follows = random.random(300) < 0.5
        words[follows, place] = (words[follows, place - 1] + 1) % len(ALPHABET)
    path = folder / "data.tokens"
    path.write_text("".join(f"{spelled(word, ALPHABET)}\n" for word in words))
    return str(path)


def load(source: str, view: View) -> Dataset:
    words = Path(source).read_text().split()
    return Dataset(np.array([[ALPHABET.index(letter) for letter in word] for word in words], dtype=np.int64))


def spelled(word: Sequence[int], alphabet: str) -> str:
    return "".join(alphabet[number] for number in word)


def exhibits(batch: Batch, facts: Facts, columns: int) -> Sequence[Exhibit]:
    return [Text(tuple(spelled(word, facts.coding["alphabet"]) for word in batch.real.tolist()))]


def features(words: Tensor) -> Tensor:
    return one_hot(words, len(ALPHABET)).float().flatten(1)


KIND = Kind("tokens", load, features, exhibits, ".tokens", coding=lambda source: {"alphabet": ALPHABET})


class Language(nn.Module):
    """Language model: tokens (batch, length) → log p(token | tokens before), (batch, length, letters)."""

    def __init__(self, letters: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 16)
        self.memory = nn.GRU(16, 32, batch_first=True)
        self.next = nn.Linear(32, letters)

    def forward(self, words: Tensor) -> Tensor:
        before = nn.functional.pad(self.letters(words[:, :-1]), (0, 0, 1, 0))  # Zeros stand for the beginning.
        return self.next(self.memory(before)[0]).log_softmax(2)


class Tokens(ToyRecipe):
    """Maximum likelihood, then adversarial training, over words."""

    modality: ClassVar[str] = "tokens"

    def view(self, facts: Facts) -> View:
        return View(facts.shape)

    def game(self, facts: Facts) -> Game:
        (length,), letters = facts.shape, len(facts.coding["alphabet"])
        critic = nn.Sequential(nn.Embedding(letters, 16), nn.Flatten(), Dense(16 * length, 32, 1), nn.Flatten(0))
        return PolicyGame(Language(letters), critic, length=length, letters=letters)

    def optimisers(self) -> Mapping[str, Adam]:
        return dict.fromkeys(("generator", "discriminator"), Adam(constant(3e-3), 0.0, constant(0.9)))


RECIPE, MEASURES, STOPS = Tokens(), ("likelihood",), (1 / 3, 3 / 4)  # A stop in either phase.
