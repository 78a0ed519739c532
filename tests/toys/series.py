"""Time series of tests: tables and arrays of them, surveyed and read; and a recipe whose generator draws noise."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from sparring.data.facts import Facts
from sparring.data.reading import reading
from sparring.data.view import View
from sparring.flow import Verdict
from sparring.games.duel import Duel
from sparring.games.game import Game
from sparring.games.priors import normal
from sparring.modalities.series import data
from sparring.modalities.series.coding import Context, Series, coding_of
from sparring.modalities.series.contexts import CONTEXT, completed
from sparring.objectives.losses import LOSSES
from toys.recipe import ToyRecipe


def write_visits(path: Path, lengths=(4, 2, 5), *, shuffled: bool = False) -> str:
    """Write a long table: visits of patients, a day apart, with their pulse, weight, sex and age."""
    rows = [
        (f"p{patient}", day, 60 + 3 * day + patient, f"{70 + patient - 0.5 * day:.1f}", "fm"[patient % 2], 30 + patient)
        for patient, length in enumerate(lengths)
        for day in range(length)
    ]
    if shuffled:
        np.random.default_rng(0).shuffle(rows)
    lines = ["patient,day,pulse,weight,sex,age", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def survey(source, columns=None, window=None, like=None):
    return data.survey(str(source), reading(columns=columns, window=window), like)


def survey_text(tmp_path: Path, text: str, columns=None, window=None):
    path = tmp_path / "series.csv"
    path.write_text(text)
    return survey(path, columns, window)


def series_of(found) -> Series:
    return found.whole(View(found.facts.shape)).batch(slice(None)).real


def said(found) -> str:
    return " ".join(found.facts.remarks)


class Generator(nn.Module):
    """Noise around the mean of each channel, with what the context tells in place."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        channels = coding_of(facts).channels
        self.shape = facts.shape
        self.mean = nn.Parameter(torch.tensor([one.mean for one in channels]))
        self.spread = nn.Parameter(torch.tensor([one.deviation for one in channels]))

    def forward(self, latent: Tensor, condition: Context) -> Series:
        noise = latent.view(-1, *self.shape) if latent.shape[1] else latent.new_zeros(len(latent), *self.shape)
        values = self.mean + self.spread * noise
        steps = torch.arange(self.shape[0])
        missing = (steps >= condition.length[:, None])[..., None].expand_as(values)
        return completed(Series(values.double(), missing, condition.length, condition.attributes), condition)


class Discriminator(nn.Module):
    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.layer = nn.Linear(facts.shape[0] * facts.shape[1], 1)

    def forward(self, sample: Series, condition: Context) -> Verdict:
        return Verdict([self.layer(sample.values.flatten(1).float())[:, 0]], [])


class NoisySeries(ToyRecipe):
    """Recipe of noise around the mean."""

    modality: ClassVar[str] = "series"
    noise: bool = True
    """Draw latents."""

    def view(self, facts: Facts) -> View:
        return View(facts.shape, CONTEXT)

    def game(self, facts: Facts) -> Game:
        size = facts.shape[0] * facts.shape[1] if self.noise else 0
        return Duel(Generator(facts), Discriminator(facts), prior=normal(size), loss=LOSSES["hinge"])
