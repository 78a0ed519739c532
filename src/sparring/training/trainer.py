"""The training loop. It plays any game on any data, and knows no loss, network or modality."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias, final

import torch
from torch import Tensor, nn

from sparring.controls import Control, recover
from sparring.data.dataset import Dataset
from sparring.data.sampler import EpochSampler
from sparring.errors import SparringError
from sparring.events import AnyEvent, MicroBatchHalved, UpdateSkipped
from sparring.flow import Batch, Figures, Progress, Sample, Turn
from sparring.games.game import Game, TakesData
from sparring.randomness import RandomStream, derive
from sparring.samples import map_tensors, tensors
from sparring.training.accumulation import MicroBatches
from sparring.training.average import copy_into, decay_of, ema_copy, update_ema
from sparring.training.distributed import World
from sparring.training.guard import Guard
from sparring.training.plan import Plan

RECOVERY_RATE = 0.005
"""Relative rise per step of a lowered learning rate, once recovery is enabled: it doubles in 139 steps."""
ROWS_AT_ONCE = 1024
"""Training samples that a game takes at once."""
After: TypeAlias = Callable[[Mapping[str, Sample], Progress], None]
"""(rows of the whole batch, progress) → nothing: updates state without gradients."""


class NotFinite(SparringError):
    """Raised when so many updates in a row were not finite that the trainer gives up."""


@final
class Trainer:
    """Plays ``game`` on ``data`` until the budget of ``plan`` is spent: ``for progress in trainer: …``.

    Args:
        game: its players are moved to ``device`` and trained in place: those that ``plan`` has an optimiser for by
            gradients, and buffers of any by what follows a turn.
        data: real samples.
        plan: the numbers.
        device: the device to compute on.
        world: this process among several.
        on_event: called when memory ran out or an update was skipped.

    Attributes:
        average: the game with the averaged players: sample from this one.
        controls: those of the game, and a factor on the learning rate of each optimiser, "generator rate".
        optimisers: by the player's name, for players that have weights and a place in ``plan.optimisers``.
        figures: the latest value of every figure.
        fresh: the figures of the latest step itself.
        extra_state: further JSON values to keep in checkpoints.

    Raises:
        SparringError: ``plan`` has an optimiser for a player that the game does not have.
    """

    def __init__(
        self,
        game: Game,
        data: Dataset,
        plan: Plan,
        *,
        device: torch.device | str = "cpu",
        world: World | None = None,
        on_event: Callable[[AnyEvent], None] = lambda event: None,
    ) -> None:
        _check(game, data, plan, world or World())

        # The players, their moving averages and their optimisers.
        self.game, self.data, self.plan = game, data, plan
        self.device, self.world, self.on_event = torch.device(device), world or World(), on_event
        for player in game.players.values():
            player.to(self.device).train()
        self.average = ema_copy(game)
        self.optimisers = self._optimisers()
        if isinstance(game, TakesData):
            starts = range(0, len(data), ROWS_AT_ONCE)
            game.take_data(data.batch(slice(start, start + ROWS_AT_ONCE)) for start in starts)

        # Controls on top of the schedules; batches in the memory format of the convolutions.
        rates = {f"{name} rate": Control(rule=recover(RECOVERY_RATE), enabled=False) for name in self.optimisers}
        self.controls = {**game.controls, **rates}
        self.layout = layout_of(game)
        self.batches = EpochSampler(len(data), plan.batch, derive(plan.seed, "batches"))
        self.micro_batch = plan.micro_batch or plan.batch
        self.guard = Guard()

        # Counters, and what is logged and saved.
        self.figures = self.fresh = Figures()
        self.extra_state: dict[str, Any] = {}
        self.step = self.samples = 0
        self.seconds = 0.0
        self._since = time.perf_counter()

    @property
    def progress(self) -> Progress:
        """Present step, samples, share of the budget, and the random numbers of the next step."""
        fraction = self.plan.fraction(self.samples, self.seconds)
        rows = self.world.rows(self.plan.batch)
        random = RandomStream(self.plan.seed, self.step, self.plan.batch, rows, device=self.device)
        return Progress(self.step, self.samples, fraction, random)

    def __iter__(self) -> Iterator[Progress]:
        if self.plan.samples is None and self.plan.seconds is None:
            raise SparringError(
                found="a plan without a budget", expected="samples or seconds", remedy="give one of the two"
            )
        self._since = time.perf_counter() - self.seconds
        while self.progress.fraction < 1:
            yield self.advance()

    def advance(self) -> Progress:
        """Make one step: take every turn, then update controls and averages."""
        progress = self.progress
        turns = self.game.turns(progress)
        batches = _batches_of(turns, self.step)

        # Set learning rates and betas from the schedules.
        for name, optimiser in self.optimisers.items():
            adam, group = self.plan.optimisers[name], optimiser.param_groups[0]
            group["lr"] = adam.learning_rate(progress.fraction) * self.controls[f"{name} rate"].value
            group["betas"] = (adam.beta1, adam.beta2(progress.fraction))

        # Take the turns. Each one starts at the first batch of the step; its repeats see the batches after that.
        fresh, made = Figures(), dict[int, dict[str, Sample]]()
        first = self.samples // self.plan.batch
        for turn in turns:
            for repeat in range(turn.times):
                random = progress.random.substream(f"{turn.name}/{repeat}")
                known = made.setdefault(repeat, {})
                now = replace(progress, random=random, made=dict(known))
                figures, rows = self._update(turn, self._batch(first + repeat), now)
                fresh = fresh.updated(figures)
                known |= rows

        # Update controls from this step's figures.
        fresh = replace(fresh, samples=self.plan.batch * batches, fraction=progress.fraction)
        for control in self.controls.values():
            control.update(fresh)
        self.fresh = replace(fresh, controls={name: control.value for name, control in self.controls.items()})
        self.figures = self.figures.updated(self.fresh)

        # Update the averaged players; those without an optimiser are published as they are.
        decay = decay_of(self.plan.average_half_life(progress.samples), self.plan.batch * batches)
        for name in self.game.published:
            if name in self.optimisers:
                update_ema(self.average.players[name], self.game.players[name], decay)
            else:
                copy_into(self.average.players[name], self.game.players[name])

        # Advance the counters; elapsed time is the maximum over ranks.
        self.step += 1
        self.samples += self.plan.batch * batches
        (self.seconds,) = self.world.all_reduce_max([time.perf_counter() - self._since])
        return self.progress

    def _update(self, turn: Turn, batch: Batch, progress: Progress) -> tuple[Figures, dict[str, Sample]]:
        """Make one update of the turn's players; return its figures, and its rows on this rank."""
        # Let gradients reach the weights of these players only.
        trained = self._trained(turn)
        for name, player in self.game.players.items():
            player.requires_grad_(name in trained)
        weights = [weight for name in trained for weight in self.game.players[name].parameters()]

        # Accumulate over micro-batches of nᵢ rows: ∇L = Σᵢ (nᵢ / N) ∇Lᵢ. Out of memory, start again with half the size.
        size, bfloat16 = self.micro_batch, self.plan.bfloat16
        sums = MicroBatches(batch, progress, weights, size=size, bfloat16=bfloat16, on_halved=self._halved)
        for part in sums:
            with part:
                part.backward(turn.objective(part.batch, part.progress))

        # Sum them over ranks.
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        self.world.all_reduce([*gradients, *sums.terms.values(), *sums.notes.values()])

        # Transfer all scalars in one synchronisation, and check the gradient norm, or the sum of terms without weights.
        total = torch.zeros((), device=self.device)
        checked = nn.utils.get_total_norm(gradients) if weights else sum(sums.terms.values(), total)
        *values, norm = torch.stack([*sums.terms.values(), *sums.notes.values(), checked]).tolist()
        finite = self.guard.check(turn.name, norm)

        # Step the optimisers, skipping gradients that are not finite; then update what has no gradient.
        for name in trained:
            if finite:
                self.optimisers[name].step()
            self.optimisers[name].zero_grad()
        rows = sums.rows
        if not finite:
            self._skip(turn.name, "gradient" if weights else "sum of terms")
        elif turn.after:
            self._call_after(turn.after, rows, progress)

        count = len(sums.terms)
        figures = Figures(
            terms={turn.name: dict(zip(sums.terms, values[:count], strict=True))},
            notes={turn.name: dict(zip(sums.notes, values[count:], strict=True))},
            gradients={turn.name: norm} if weights else {},
        )
        return figures, rows

    def _trained(self, turn: Turn) -> list[str]:
        """Names of the turn's players that have an optimiser."""
        for name in turn.trained:
            if name not in self.game.players:
                raise SparringError(
                    found=f"the turn {turn.name!r} of a player {name!r}",
                    expected=f"one of the game's players: {', '.join(self.game.players)}",
                    remedy="name the turn after its player, or give it `players`",
                )
        return [name for name in turn.trained if name in self.optimisers]

    def _call_after(self, after: After, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Call ``after`` with the rows of the whole batch, so that its effect is the same on every rank."""
        parts = iter(self.world.all_gather(part for sample in rows.values() for part in tensors(sample)))
        gathered = {name: map_tensors(lambda own: next(parts), sample) for name, sample in rows.items()}
        whole = replace(progress.random, rows=slice(0, progress.random.total))
        with torch.no_grad():
            after(gathered, replace(progress, random=whole, made={}))

    def _halved(self, size: int) -> None:
        self.micro_batch = size
        self.on_event(MicroBatchHalved(samples=self.samples, size=size))

    def _batch(self, number: int) -> Batch:
        rows = self.world.rows(self.plan.batch)
        random = RandomStream(self.plan.seed, number, self.plan.batch, rows, "data/", self.device)
        batch = self.data.batch(self.batches.rows(number)[rows], self.device, random)
        return map_tensors(self._in_layout, batch)

    def _in_layout(self, part: Tensor) -> Tensor:
        return part.contiguous(memory_format=self.layout) if part.dim() == 4 else part

    def _optimisers(self) -> dict[str, torch.optim.Adam]:
        for name in self.plan.optimisers:
            if name not in self.game.players:
                raise SparringError(
                    found=f"an optimiser for a player {name!r}",
                    expected=f"one of the game's players: {', '.join(self.game.players)}",
                    remedy="name optimisers as the game names its players",
                )
        # A player without weights needs none: its buffers move in what follows a turn.
        fused = self.device.type in ("cpu", "cuda")
        found = {}
        for name, player in self.game.players.items():
            weights = list(player.parameters())
            if name in self.plan.optimisers and weights:
                adam = self.plan.optimisers[name]
                betas = (adam.beta1, adam.beta2(0.0))
                decay = adam.weight_decay
                found[name] = torch.optim.Adam(weights, adam.learning_rate(0.0), betas, weight_decay=decay, fused=fused)
        return found

    def _skip(self, turn: str, quantity: Literal["gradient", "sum of terms"]) -> None:
        self.on_event(UpdateSkipped(samples=self.samples, step=self.step, turn=turn, quantity=quantity))
        if self.guard.exhausted:
            raise NotFinite(
                found=f"a {quantity} of the {turn} that is not finite, {self.guard.skipped[turn]} times in a row",
                expected="finite numbers",
                remedy="resume from the last checkpoint with a lower learning rate or a stronger penalty",
            )


def _batches_of(turns: Sequence[Turn], step: int) -> int:
    """Return how many batches the turns of one step see.

    Raises:
        SparringError: none, so that training would never end; or two turns have one name.
    """
    names = [turn.name for turn in turns]
    if len(set(names)) < len(names) or not all(isinstance(turn.times, int) and turn.times >= 0 for turn in turns):
        raise SparringError(
            found=f"the turns {', '.join(f'{turn.name} ({turn.times} times)' for turn in turns)} in step {step}",
            expected="a name of its own for each, and whole numbers of times",
            remedy="check `turns` of the game",
        )
    batches = max((turn.times for turn in turns), default=0)
    if batches < 1:
        raise SparringError(
            found=f"{len(turns)} turns in step {step}, none of which is taken",
            expected="at least one that is taken at least once",
            remedy="check `turns` of the game",
        )
    return batches


def _check(game: Game, data: Dataset, plan: Plan, world: World) -> None:
    """Refuse a game, data or plan with which no step can be made."""
    if len(data) == 0:
        raise SparringError(found="no samples", expected="at least one", remedy="give other data")
    world.require_rows(plan.batch)
    shares = [phase.until for phase in game.phases]
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares) or shares != sorted(shares):
        raise SparringError(
            found=f"phases that last until {', '.join(map(str, shares))} of the budget",
            expected="ascending shares from 0 to 1",
            remedy="check `phases` of the game",
        )
    # A phase ends by its share of the budget or by a control of the game.
    ends = [phase.ended_by for phase in game.phases if phase.ended_by]
    if not game.phases or any(name not in game.controls for name in ends):
        raise SparringError(
            found=f"{len(game.phases)} phases that end by {', '.join(ends) or 'their share'}",
            expected="at least one phase, and an `ended_by` that names a control of the game",
            remedy="check `phases` of the game",
        )


def layout_of(game: Game) -> torch.memory_format:
    """Return the memory format of the players' convolutions, which batches then share.

    It is channels-last if any 4-D weight can be nothing else: 1 × 1 convolutions and those of one channel are both.
    """
    weights = [weight for player in game.players.values() for weight in player.parameters() if weight.dim() == 4]
    last = any(
        weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous() for weight in weights
    )
    return torch.channels_last if last else torch.contiguous_format
