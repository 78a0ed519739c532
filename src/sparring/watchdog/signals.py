"""Signals of a run: figures of every step, and now and then an observation of generated samples.

Every signal is relative to the data or to another signal, so that one threshold serves all data.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from statistics import fmean
from typing import TypeAlias, final

import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from sparring.data.dataset import Dataset, Split
from sparring.flow import Batch
from sparring.games.game import Game, Role, controls_named, roles
from sparring.modality import Modality
from sparring.objectives.gamma import LEAD
from sparring.randomness import generator
from sparring.samples import Sample, batch_size, floats, to_device
from sparring.sampling import generate
from sparring.schema import STORED, Count
from sparring.storage import read_lines
from sparring.training.trainer import Trainer

SAMPLES = 64
"""Samples generated from fixed latents at each observation, and real samples under whose conditions they are."""
REFERENCES = 256
"""Training samples, and held-out samples, that the generated ones are compared with."""
RANGE_MARGIN = 0.05
"""Tolerance beyond the range of real values, as a share of that range."""
JSON_INFINITY = 1e9
"""Stands for infinity, which JSON cannot represent."""
NEIGHBOURS = 5
"""Neighbours among 256 held-out samples that lie within the radius of one; proportionally fewer among fewer."""
FIRST_INTERVAL, OBSERVATIONS = 64, 50
"""Steps between the first observations; observations per doubling of the steps, which doubles the interval."""
SIGNALS = {
    "lead": "E softplus(D(x) - D(G(z))): 0.69 where real and generated samples have equal logits",
    "overlap": "share of pairs in which the generated sample has the higher logit, 1/2 where both kinds are alike",
    "sure": "mean sign of D(x) over the mean logit of generated samples, in [-1, 1]",
    "real slope": "mean norm of ∇D at real samples",
    "fake slope": "mean norm of ∇D at generated samples",
    "generator gradient": "norm of the gradient of the published players, where there are critics",
    "discriminator gradient": "norm of the gradient of the critics",
    "penalty share": "penalties, relative to the adversarial term",
    "steered": "1 where γ follows its rule, 0 where it is fixed",
    "paired": "1 where the loss compares pairs, so that the lead rests at 0.69, 0 where it may have any value",
    "swing": "standard deviation of the lead from step to step",
    "spent": "spent share of the budget, in [0, 1]",
    "refused": "updates that were skipped because a number was not finite",
    "diversity": "mean distance between samples (of one class, if there are classes), relative to real samples",
    "contrast": "standard deviation of the values of samples, relative to real samples",
    "moved": "change of samples of the same latents since the previous observation, relative to distances of real ones",
    "held-out gap": "share of the discriminator's lead that it has on training samples over held-out ones",
    "distance": "energy distance between samples of the average and held-out ones, relative to distances of real ones",
    "coverage": "share of held-out samples that have a generated one nearby",
    "outside": "share of values beyond the range of training samples",
    "nearer to training": "share of samples nearer to training samples than to held-out ones, 1/2 expected",
}
"""Signals that every modality has. With several critics or generators they are means over their turns."""


@with_config(STORED)
class ObserverState(TypedDict):
    """State of an observer, as JSON values."""

    sums: list[tuple[str, str, str, Count, float, float]]
    skipped: Count
    previous: list[list[float]] | None
    roles: dict[str, Role]


Sums: TypeAlias = dict[tuple[str, str, str], tuple[int, float, float]]
"""(kind, turn, name) of a figure → count, sum and sum of squares."""


@final
@dataclass(frozen=True)
class Observation:
    """The signals of a run after ``step`` steps, by name (see ``SIGNALS``), and the number of the game's phase."""

    step: int
    samples: int
    values: dict[str, float]
    phase: int = 0

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, math.nan)

    @property
    def written(self) -> dict[str, float]:
        """Fields of a line of signals.jsonl beside step and samples; the first phase goes without saying."""
        return {**self.values, **({"phase": self.phase} if self.phase else {})}


def due(step: int) -> bool:
    """Return whether an observation is due: every 64 steps at first, half as often with every doubling of the run."""
    interval = FIRST_INTERVAL
    while step > interval * 2 * OBSERVATIONS:
        interval *= 2
    return step > 0 and step % interval == 0


@final
class Observer:
    """Observes a trainer, without changing it.

    Args:
        trainer: the run.
        split: its data.
        modality: gives features that are cheap to compare, and signals of its own.
        seed: chooses the latents and the real samples.
    """

    def __init__(self, trainer: Trainer, split: Split, modality: Modality, seed: int) -> None:
        self.trainer, self.split, self.modality, self.seed = trainer, split, modality, seed
        self.matched = _subset(split.train, SAMPLES, seed, "seen")
        self.train = _subset(split.train, REFERENCES, seed, "training")
        self.held_out = _subset(split.held_out, REFERENCES, seed, "held out")
        self._roles = roles(trainer.game, trainer.progress)
        self.reset()

    def reset(self) -> None:
        """Forget the figures since the previous observation, and its samples: the run was rolled back."""
        self._sums: Sums = {}
        self._previous: Tensor | None = None
        self._skipped = self.trainer.guard.total

    def step(self) -> None:
        """Accumulate the figures of one step, and note the roles of the turns to come."""
        self._roles |= roles(self.trainer.game, self.trainer.progress)
        fresh = self.trainer.fresh
        norms = {turn: {"norm": norm} for turn, norm in fresh.gradients.items()}
        for kind, turns in (("terms", fresh.terms), ("notes", fresh.notes), ("gradients", norms)):
            for turn, figures in turns.items():
                for name, value in figures.items():
                    if math.isfinite(value):
                        count, total, squares = self._sums.get((kind, turn, name), (0, 0.0, 0.0))
                        self._sums[kind, turn, name] = count + 1, total + value, squares + value * value

    def observe(self) -> Observation:
        """Return all signals since the previous observation; the main process shares its own with all others."""
        values = {**self._figure_signals(), **self._sample_signals()} if self.trainer.world.is_main else {}
        self._sums = {}
        progress = self.trainer.progress
        rounded = {name: float(f"{value:.6g}") for name, value in values.items() if math.isfinite(value)}
        shared: dict[str, float] = json.loads(self.trainer.world.broadcast(json.dumps(rounded)))
        return Observation(progress.step, progress.samples, shared)

    def state(self) -> ObserverState:
        """Return what ``restore`` needs, as JSON values."""
        sums = [(*figure, *totals) for figure, totals in self._sums.items()]
        previous = None if self._previous is None else self._previous.tolist()
        return {"sums": sums, "skipped": self._skipped, "previous": previous, "roles": self._roles}

    def restore(self, state: ObserverState) -> None:
        """Continue from ``state``."""
        self._sums = {
            (kind, turn, name): (count, total, squares) for kind, turn, name, count, total, squares in state["sums"]
        }
        self._skipped = state["skipped"]
        self._roles |= state["roles"]
        self._previous = None if state["previous"] is None else torch.tensor(state["previous"])

    @cached_property
    def _real_features(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the real samples beside the generated ones, of training and of held-out samples."""
        matched, train, held_out = (self._features(batch.real) for batch in (self.matched, self.train, self.held_out))
        return matched, train, held_out

    def _figure_signals(self) -> dict[str, float]:
        """Return means over the steps since the previous observation, by the roles of turns."""
        # Notes of the critics, and the norm of each turn's gradient.
        game, skipped = self.trainer.game, self.trainer.guard.total
        critics = [turn for turn, role in self._roles.items() if role == Role.CRITIC]
        notes = [self._means("notes", turn) for turn in critics]
        norms = {turn: self._means("gradients", turn).get("norm", math.nan) for turn in self._roles}
        found = {name: _mean(values.get(name, math.nan) for values in notes) for values in notes for name in values}
        found |= {f"{turn} gradient": norm for turn, norm in norms.items()}

        # The contest between generators and critics.
        if game.critics:
            generators = [turn for turn, role in self._roles.items() if role == Role.PUBLISHED]
            found["generator gradient"] = _mean(norms[turn] for turn in generators)
            found["discriminator gradient"] = _mean(norms[turn] for turn in critics)
            terms = [values for turn in critics if "adversarial" in (values := self._means("terms", turn))]
            penalties = sum(value for values in terms for name, value in values.items() if name != "adversarial")
            found["penalty share"] = _ratio(penalties, sum(abs(values["adversarial"]) for values in terms))
            leads = [self._sums[key] for turn in critics if (key := ("notes", turn, LEAD)) in self._sums]
            found["swing"] = _mean(_deviation(*sums) for sums in leads)

        found["steered"] = _mean(float(game.controls[name].enabled) for name in controls_named(game, "gamma"))
        found["refused"], self._skipped = float(skipped - self._skipped), skipped
        found["spent"] = self.trainer.progress.fraction
        return found

    def _means(self, kind: str, turn: str) -> dict[str, float]:
        """Return the mean of each figure of one kind of a turn."""
        sums = self._sums.items()
        return {name: total / count for (*where, name), (count, total, _) in sums if where == [kind, turn]}

    @torch.no_grad()
    def _sample_signals(self) -> dict[str, float]:
        """Return signals of samples from the same latents every time, relative to real samples."""
        # Samples of the live generator, and of the average that is published.
        with _evaluating(self.trainer.game):
            live, average = (self._generate(game) for game in (self.trainer.game, self.trainer.average))
            gap = self._held_out_gap(live)
        if not all(part.isfinite().all() for part in (*floats(live), *floats(average))):
            return {"outside": 1.0, "contrast": JSON_INFINITY}

        # Live samples show soonest what goes wrong; the scale is the mean distance between two held-out samples.
        (matched, train, held_out), now = self._real_features, self._features(live)
        unit = float(torch.pdist(held_out).mean()) if len(held_out) > 1 else 0.0
        classes = self.matched.label if self.matched.condition is not None else None
        found = {
            "held-out gap": gap,
            "diversity": _ratio(_mean_distance(now, classes), _mean_distance(matched, classes)),
            "contrast": _over_parts(_contrast, live, self.matched.real),
        }

        # Samples of the average show the quality of what would be published.
        if len(held_out) > 1:
            found |= _compared(self._features(average), train, held_out, unit)
        found["outside"] = _over_parts(_outside, average, self.train.real)
        found |= self.modality.extra_signals(self.matched.real, average, self.split.facts)
        if self._previous is not None and self._previous.shape == now.shape:
            found["moved"] = _ratio(float((now - self._previous).norm(dim=1).mean()), unit)
        self._previous = now
        return found

    def _features(self, samples: Sample) -> Tensor:
        return self.modality.cheap_features(samples, self.split.facts)

    def _generate(self, game: Game) -> Sample:
        count, device = batch_size(self.matched), self.trainer.device
        return generate(game, count, self.matched.condition, seed=self.seed, stream="watchdog/", device=device)

    def _held_out_gap(self, fake: Sample) -> float:
        """Return (E D(train) - E D(held out)) / (E D(train) - E D(fake)); NaN unless training samples lead."""
        batches = [self.train, self.held_out, self.matched._replace(real=fake)]
        scores = [self.trainer.game.opinion(to_device(batch, self.trainer.device)).score for batch in batches]
        train, held_out, fakes = (math.nan if score is None else float(score.mean()) for score in scores)
        return _ratio(train - held_out, train - fakes) if train > fakes else math.nan


def read_observations(path: Path) -> list[Observation]:
    """Return the observations of a signals.jsonl, without damaged lines and values that are not finite numbers."""
    found = []
    for line in read_lines(path):
        step, samples, phase = (line.pop(name, 0) for name in ("step", "samples", "phase"))
        if type(step) is type(samples) is type(phase) is int and samples > 0:
            numbers = {name: value for name, value in line.items() if type(value) in (int, float)}
            values = {name: float(value) for name, value in numbers.items() if math.isfinite(value)}
            found.append(Observation(step, samples, values, phase))
    return found


def of_last_phase(history: Sequence[Observation]) -> list[Observation]:
    """Return the observations of the phase of the last one."""
    return list(takewhile(lambda observation: observation.phase == history[-1].phase, reversed(history)))[::-1]


@contextmanager
def _evaluating(game: Game) -> Iterator[None]:
    """Keep all players in evaluation mode, so that running statistics of batch norm do not move."""
    for player in game.players.values():
        player.eval()
    yield
    for player in game.players.values():
        player.train()


def _subset(dataset: Dataset, count: int, seed: int, stream: str) -> Batch:
    rows = torch.randperm(len(dataset), generator=generator(seed, f"watchdog/{stream}"))[:count]
    return dataset.batch(rows.sort().values.numpy())


def _compared(fake: Tensor, train: Tensor, held_out: Tensor, unit: float) -> dict[str, float]:
    """Compare features of generated samples with those of held-out samples, and of as many training samples."""
    across, count = torch.cdist(fake, held_out), min(len(held_out), len(train))
    to_held_out, to_train = across[:, :count].amin(1), torch.cdist(fake, train[:count]).amin(1)
    neighbours = -(-len(held_out) * NEIGHBOURS // REFERENCES)
    radius = torch.cdist(held_out, held_out).fill_diagonal_(math.inf).kthvalue(neighbours, dim=1).values
    return {
        # Energy distance 2 E|x - y| - E|x - x'| - E|y - y'| (Székely & Rizzo 2013, eq. 2.1).
        "distance": _ratio(float(2 * across.mean() - torch.pdist(fake).mean()) - unit, unit),
        "coverage": float((across.amin(0) < radius).float().mean()),
        "nearer to training": float((to_train < to_held_out).float().mean()),
    }


def _mean_distance(features: Tensor, classes: Tensor | None) -> float:
    """Return the mean distance between two samples; of one class, where there are classes with two of each."""
    distances = torch.cdist(features, features)
    pairs = ~torch.eye(len(features), dtype=torch.bool)
    if classes is not None:
        alike = pairs & (classes[:, None] == classes[None]) & (classes >= 0)
        pairs = alike if alike.any() else pairs
    return float(distances[pairs].mean())


def _over_parts(compare: Callable[[Tensor, Tensor], float], fake: Sample, real: Sample) -> float:
    """Return the mean over the floating-point parts of samples that have values; NaN where there are none."""
    parts = zip(floats(fake), floats(real), strict=True)
    return _mean(compare(one, other) for one, other in parts if other.numel())


def _contrast(fake: Tensor, real: Tensor) -> float:
    return _ratio(float(fake.std(0).mean()), float(real.std(0).mean()))


def _outside(fake: Tensor, real: Tensor) -> float:
    """Return the share of values beyond the range of real ones, coordinate by coordinate where samples are points."""
    low, high = (real.amin(0), real.amax(0)) if real.dim() <= 2 else (real.min(), real.max())
    margin = RANGE_MARGIN * (high - low)
    return float(((fake < low - margin) | (fake > high + margin)).float().mean())


def _ratio(value: float, unit: float) -> float:
    return value / unit if unit else math.nan


def _mean(values: Iterable[float]) -> float:
    """Return the mean of the values that are not NaN; NaN where there are none."""
    known = [value for value in values if not math.isnan(value)]
    return fmean(known) if known else math.nan


def _deviation(count: int, total: float, squares: float) -> float:
    """Return the standard deviation of ``count`` values, from their sum and the sum of their squares."""
    return math.sqrt(max(squares - total * total / count, 0.0) / (count - 1)) if count > 1 else math.nan
