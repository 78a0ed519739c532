"""What can be seen of a run while it goes on: cheap figures of every step, and now and then a look at samples.

Every signal is relative to the data or to another signal, so that one threshold serves all data.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol, final

import torch
from torch import Tensor

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.flow import Batch
from sparring.games.game import Game, Role, controls_named, roles
from sparring.objectives.gamma import LEAD
from sparring.randomness import generator
from sparring.samples import Sample, batch_size, floats, to_device
from sparring.sampling import generate
from sparring.storage import read_lines
from sparring.training.trainer import Trainer

SEEN = 64
"""Samples from fixed noise at each look, and as many real ones beside them."""
JUDGED = 256
"""Held-out samples that the generated ones are compared with."""
MARGIN = 0.05
"""How far values may lie outside the range of the real ones, as a share of it."""
FAR = 1e9
"""Stands for the spread of samples that are not finite."""
NEIGHBOURS = 5
"""Of 256 held-out samples; fewer of fewer. The radius around each is the distance to the last of them."""
NORM = "norm"
"""The only figure of a turn's gradient."""
FIRST, LOOKS = 64, 50
"""Steps to the first look; looks after which they become half as frequent."""


class SignalSource(Protocol):
    """What a modality adds: features that are cheap to compare, and signals of its own."""

    @property
    def bounds(self) -> tuple[float, float] | None: ...

    def cheap_features(self, samples: Sample, facts: Facts) -> Tensor: ...

    def extra_signals(self, real: Sample, fake: Sample) -> Mapping[str, float]: ...


@final
@dataclass(frozen=True)
class Observation:
    """One look: when, every signal by its name (see ``SIGNALS``), and the number of the game's phase."""

    step: int
    samples: int
    values: dict[str, float]
    phase: int = 0

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, math.nan)

    @property
    def written(self) -> dict[str, float]:
        """The values, and the phase where it is not the first: one line of signals.jsonl beside step and samples."""
        return {**self.values, **({"phase": self.phase} if self.phase else {})}


SIGNALS = {
    "lead": "E softplus(D(x) - D(G(z))): 0.69 where reals and fakes score alike",
    "overlap": "share of pairs in which the fake scores higher than the real, 1/2 where they are alike",
    "sure": "mean sign of D(x) over the mean score of fakes, in [-1, 1]",
    "real slope": "mean length of ∇D at real samples",
    "fake slope": "mean length of ∇D at generated samples",
    "generator gradient": "length of the gradient of whoever is published, where there are judges",
    "discriminator gradient": "length of the judges' gradient",
    "penalty share": "what the penalties weigh, the adversarial term being 1",
    "steered": "1 where γ finds itself, 0 where it was given",
    "paired": "1 where the loss scores pairs, so that the lead rests at 0.69, 0 where it may be any number",
    "swing": "standard deviation of the lead from step to step",
    "spent": "share of the budget that is spent, in [0, 1]",
    "refused": "updates that were not made because a number was not finite",
    "diversity": "mean distance between samples (of one class, if there are classes), that of reals being 1",
    "contrast": "standard deviation of the values of samples, that of reals being 1",
    "moved": "how far samples from the same noise have moved since the look before, distances of reals being 1",
    "held-out gap": "share of the discriminator's lead that it has on training samples over held-out ones",
    "distance": "energy distance between samples of the average and held-out ones, distances of reals being 1",
    "coverage": "share of held-out samples that have a generated one nearby",
    "outside": "share of values beyond those of training samples",
    "nearer to training": "share of samples nearer to training than to held-out ones, 1/2 expected",
}
"""What each signal is. Of several judges or generators it is the mean over their turns."""


def due(step: int) -> bool:
    """Whether a look is due after ``step`` steps: every 64 at first, half as often with every doubling of the run."""
    interval = FIRST
    while step > interval * 2 * LOOKS:
        interval *= 2
    return step > 0 and step % interval == 0


@final
class Observer:
    """Looks at a trainer.

    Args:
        trainer: what is looked at; nothing of it is changed.
        split: its data.
        sight: what the modality adds.
        seed: of the fixed noise and of the real samples that are looked at.
    """

    def __init__(self, trainer: Trainer, split: Split, signal_source: SignalSource, seed: int) -> None:
        self.trainer, self.split, self.signal_source, self.seed = trainer, split, signal_source, seed
        self.beside = _some(split.train, SEEN, seed, "seen")
        self.train = _some(split.train, JUDGED, seed, "training")
        self.held_out = _some(split.held_out, JUDGED, seed, "held out")
        self._before: Tensor | None = None
        self._sums = _no_sums()
        self._refused = 0
        self._roles = roles(trainer.game, trainer.progress)

    @cached_property
    def _real(self) -> tuple[Tensor, Tensor, Tensor]:
        """The sketches of the samples beside, of training and of held-out ones: they stay as they are."""
        beside, train, held_out = (self._sketch(side.real) for side in (self.beside, self.train, self.held_out))
        return beside, train, held_out

    @cached_property
    def apart(self) -> float:
        """The mean distance of two held-out samples."""
        *_, held_out = self._real
        return float(torch.pdist(held_out).mean()) if len(held_out) > 1 else 0.0

    @cached_property
    def _radius(self) -> Tensor:
        """Of the ball around each held-out sample, (held out,)."""
        *_, real = self._real
        within = torch.cdist(real, real).fill_diagonal_(math.inf)
        return within.kthvalue(-(-len(real) * NEIGHBOURS // JUDGED), dim=1).values

    def step(self) -> None:
        """Take note of the figures of one step, and of the turns that come next."""
        self._roles |= roles(self.trainer.game, self.trainer.progress)
        fresh = self.trainer.fresh
        gradients = {turn: {NORM: norm} for turn, norm in fresh.gradients.items()}
        for kind, turns in {"terms": fresh.terms, "notes": fresh.notes, "gradients": gradients}.items():
            for turn, values in turns.items():
                sums = self._sums[kind].setdefault(turn, {})
                for name, value in values.items():
                    if math.isfinite(value):
                        count, total, squares = sums.get(name, (0, 0.0, 0.0))
                        sums[name] = (count + 1, total + value, squares + value * value)

    def observe(self) -> Observation:
        """All signals since the look before; the first process looks, and the others take its word."""
        values = {**self._figures(), **self._samples()} if self.trainer.world.is_main else {}
        self._sums = _no_sums()
        progress = self.trainer.progress
        rounded = {name: float(f"{value:.6g}") for name, value in values.items() if math.isfinite(value)}
        shared: dict[str, float] = json.loads(self.trainer.world.broadcast(json.dumps(rounded)))
        return Observation(progress.step, progress.samples, shared)

    def forget(self) -> None:
        """The run went back: what was seen since the last look is no longer so."""
        self._sums, self._before, self._refused = _no_sums(), None, self.trainer.guard.total

    def state(self) -> dict[str, Any]:
        """What was seen since the last look, as JSON values."""
        before = None if self._before is None else self._before.tolist()
        return {"sums": self._sums, "refused": self._refused, "before": before, "roles": self._roles}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self._sums = {kind: dict(turns) for kind, turns in state["sums"].items()}
        self._refused = state["refused"]
        stored = {turn: Role(role) for turn, role in state["roles"].items()}
        self._roles = {**roles(self.trainer.game, self.trainer.progress), **stored}
        self._before = None if state["before"] is None else torch.tensor(state["before"])

    def _figures(self) -> dict[str, float]:
        """Means over the steps since the previous observation, by the roles of turns."""
        critics = [turn for turn, role in self._roles.items() if role == Role.CRITIC]
        found = _means(self._mean("notes", turn) for turn in critics)
        gradients = {turn: self._mean("gradients", turn).get(NORM, math.nan) for turn in self._roles}
        found |= {f"{turn} gradient": norm for turn, norm in gradients.items()}
        found |= self._of_the_contest(critics, gradients)
        enabled = [float(self.trainer.controls[name].enabled) for name in controls_named(self.trainer.game, "gamma")]
        if enabled:
            found["steered"] = fmean(enabled)
        refused = self.trainer.guard.total - self._refused
        self._refused = self.trainer.guard.total
        return {**found, "refused": float(refused), "spent": self.trainer.progress.fraction}

    def _of_the_contest(self, critics: Sequence[str], gradients: Mapping[str, float]) -> dict[str, float]:
        """Signals that exist only where a game has critics."""
        if not self.trainer.game.critics:
            return {}
        generators = [turn for turn, role in self._roles.items() if role == Role.PUBLISHED]
        found = {
            name: fmean(norms)
            for name, turns in {"generator gradient": generators, "discriminator gradient": critics}.items()
            if (norms := [gradients[turn] for turn in turns if math.isfinite(gradients[turn])])
        }
        terms = [every for turn in critics if "adversarial" in (every := self._mean("terms", turn))]
        if terms:
            penalties = sum(value for every in terms for name, value in every.items() if name != "adversarial")
            found["penalty share"] = _ratio(penalties, sum(abs(every["adversarial"]) for every in terms))
        leads = [sums[LEAD] for turn in critics if LEAD in (sums := self._sums["notes"].get(turn, {}))]
        swings = [_deviation(*sums) for sums in leads if sums[0] > 1]
        if swings:
            found["swing"] = fmean(swings)
        return found

    def _mean(self, kind: str, turn: str) -> dict[str, float]:
        """Mean of each figure of one kind of a turn."""
        return {name: total / count for name, (count, total, _) in self._sums[kind].get(turn, {}).items()}

    @torch.no_grad()
    def _samples(self) -> dict[str, float]:
        with _at_rest(self.trainer.game):
            live, average = (self._generated(game) for game in (self.trainer.game, self.trainer.average))
            gap = self._gap(live)
        if not all(part.isfinite().all() for part in (*floats(live), *floats(average))):
            return {"outside": 1.0, "contrast": FAR}
        real, now = self._real[0], self._sketch(live)
        kinds = self.beside.label if self.beside.condition is not None else None
        found = {
            **gap,
            "diversity": _ratio(_spread(now, kinds), _spread(real, kinds)),
            "contrast": _over_parts(_contrast, live, self.beside.real),
            **self._compared(self._sketch(average)),
            "outside": _over_parts(_outside, average, self.train.real),
            **self.signal_source.extra_signals(self.beside.real, average),
        }
        if self._before is not None:
            found["moved"] = _ratio(float((now - self._before).norm(dim=1).mean()), self.apart)
        self._before = now
        return found

    def _sketch(self, samples: Sample) -> Tensor:
        return self.signal_source.cheap_features(samples, self.split.facts)

    def _generated(self, game: Game) -> Sample:
        """Samples from the same noise every time, under the conditions of the real ones beside them."""
        count, device = batch_size(self.beside), self.trainer.device
        return generate(game, count, self.beside.condition, seed=self.seed, stream="watchdog/", device=device)

    def _gap(self, fake: Sample) -> dict[str, float]:
        """Share of the judges' lead that they owe to knowing the training samples."""
        sides = [self.train, self.held_out, self.beside._replace(real=fake)]
        scores = [self.trainer.game.opinion(to_device(side, self.trainer.device)).score for side in sides]
        train, held_out, fakes = (math.nan if score is None else float(score.mean()) for score in scores)
        return {"held-out gap": _ratio(train - held_out, train - fakes)} if train > fakes else {}

    def _compared(self, fake: Tensor) -> dict[str, float]:
        """The average's samples beside held-out ones."""
        _, train, real = self._real
        if len(real) < 2:
            return {}
        across = torch.cdist(fake, real)
        few = min(len(real), len(train))
        nearest = across[:, :few].amin(1), torch.cdist(fake, train[:few]).amin(1)
        return {
            "distance": _ratio(float(2 * across.mean() - torch.pdist(fake).mean()) - self.apart, self.apart),
            "coverage": float((across.amin(0) < self._radius).float().mean()),
            "nearer to training": float((nearest[1] < nearest[0]).float().mean()),
        }


def read_observations(file: Path) -> list[Observation]:
    """All looks that were written down in signals.jsonl."""
    lines = read_lines(file) if file.exists() else []
    return [look_of(line) for line in lines]


def look_of(line: Mapping[str, Any]) -> Observation:
    """The look of one line of signals.jsonl; what is no number is passed over."""
    values = {name: value for name, value in line.items() if name not in ("step", "samples", "phase")}
    numbers = {name: float(value) for name, value in values.items() if type(value) in (int, float)}
    return Observation(line["step"], line["samples"], numbers, int(line.get("phase", 0)))


def of_one_phase(history: Sequence[Observation]) -> list[Observation]:
    """The looks of the phase of the last one."""
    return list(takewhile(lambda observation: observation.phase == history[-1].phase, reversed(history)))[::-1]


@contextmanager
def _at_rest(game: Game) -> Iterator[None]:
    """The players as they judge and generate, with nothing learned from what they see (batch norm)."""
    players = list(game.players.values())
    for player in players:
        player.eval()
    yield
    for player in players:
        player.train()


def _some(dataset: Dataset, count: int, seed: int, stream: str) -> Batch:
    rows = torch.randperm(len(dataset), generator=generator(seed, f"watchdog/{stream}"))[:count]
    return dataset.batch(rows.sort().values.numpy())


def _spread(features: Tensor, kinds: Tensor | None) -> float:
    """The mean distance of two samples, of one class where there are classes with two of each."""
    apart = torch.cdist(features, features)
    pairs = ~torch.eye(len(features), dtype=torch.bool)
    if kinds is not None:
        alike = pairs & (kinds[:, None] == kinds[None]) & (kinds >= 0)
        pairs = alike if alike.any() else pairs
    return float(apart[pairs].mean())


def _over_parts(compare: Callable[[Tensor, Tensor], float], fake: Sample, real: Sample) -> float:
    """The mean over the floating-point parts of samples, each relative to its own scale; NaN where there are none."""
    values = [compare(*pair) for pair in zip(floats(fake), floats(real), strict=True)]
    told = [value for value in values if not math.isnan(value)]
    return fmean(told) if told else math.nan


def _contrast(fake: Tensor, real: Tensor) -> float:
    return _ratio(float(fake.std(0).mean()), float(real.std(0).mean()))


def _outside(fake: Tensor, real: Tensor) -> float:
    """The share of values beyond the range of the real ones, of each coordinate by itself where samples are points."""
    low, high = (real.amin(0), real.amax(0)) if real.dim() <= 2 else (real.min(), real.max())
    reach = MARGIN * (high - low)
    return float(((fake < low - reach) | (fake > high + reach)).float().mean())


def _ratio(value: float, unit: float) -> float:
    return value / unit if unit else math.nan


def _no_sums() -> dict[str, dict[str, dict[str, tuple[int, float, float]]]]:
    """Kind of figure → turn → figure → count, sum and sum of squares."""
    return {"terms": {}, "notes": {}, "gradients": {}}


def _means(several: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over those that have it."""
    found: dict[str, list[float]] = {}
    for figures in several:
        for name, value in figures.items():
            found.setdefault(name, []).append(value)
    return {name: fmean(values) for name, values in found.items()}


def _deviation(count: int, total: float, squares: float) -> float:
    """The standard deviation of so many values, from their sum and that of their squares."""
    return math.sqrt(max(squares - total * total / count, 0.0) / (count - 1))
