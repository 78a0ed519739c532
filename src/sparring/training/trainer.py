"""The loop. It plays any game on any data, and knows no loss, network or modality."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, final

import torch
from torch import Tensor, nn

from sparring.data.dataset import Dataset
from sparring.data.sampler import Endless
from sparring.dials import Dial, recover
from sparring.errors import SparringError
from sparring.flow import Batch, Progress, Sample, Turn
from sparring.games.game import Game
from sparring.randomness import Draw, derive
from sparring.samples import batch_size, map_tensors, tensors
from sparring.training.accumulation import Sums, accumulate
from sparring.training.average import decay_of, follow, follower, mirror
from sparring.training.devices import out_of_memory
from sparring.training.distributed import World
from sparring.training.guard import Guard
from sparring.training.plan import Plan

RISE = 0.005
"""The share by which a lowered learning rate rises with every step, if it is told to: doubled in 139."""
After: TypeAlias = Callable[[Mapping[str, Sample], Progress], None]
"""(rows of the whole batch, progress) → nothing: moves what no gradient moves."""


class NotFinite(SparringError):
    """Numbers have not been finite for so many updates that the trainer gives up."""


@final
class Trainer:
    """Plays ``game`` on ``data`` until the budget of ``plan`` is spent: ``for progress in trainer: …``.

    Args:
        game: its players are moved to ``device`` and trained in place: those that ``plan`` has an optimiser for by
            gradients, and buffers of any by what follows a turn.
        data: real samples.
        plan: the numbers.
        device: where to compute.
        world: this process among several.
        tell: called with a kind ("micro-batch", "refused") and a sentence when something noteworthy happens.

    Attributes:
        average: the game whose generators follow slowly: sample from this one.
        dials: those of the game, and a factor on the learning rate of each optimiser, "generator rate".
        optimisers: by the player's name, of players that have weights and a place in ``plan.optimisers``.
        figures: the terms of the latest step by "turn/term", the norm of each turn's gradient by "turn/gradient", what
            the game noted lately by "turn: note", and where each dial stands by "dial: name".
        fresh: those of them that are of the latest step itself.
        beside: what others want kept in its checkpoints, as JSON values.

    Raises:
        SparringError: ``plan`` has an optimiser for a player that the game has not.
    """

    def __init__(
        self,
        game: Game,
        data: Dataset,
        plan: Plan,
        *,
        device: torch.device | str = "cpu",
        world: World | None = None,
        tell: Callable[[str, str], None] = lambda kind, sentence: None,
    ) -> None:
        _check(game, data, plan, world or World())
        self.game, self.data, self.plan = game, data, plan
        self.device, self.world, self.tell = torch.device(device), world or World(), tell
        for player in game.players.values():
            player.to(self.device).train()
        self.average = follower(game)
        self.optimisers = self._optimisers()
        rates = {f"{name} rate": Dial(rule=recover(RISE), obeys=False) for name in self.optimisers}
        self.dials = {**game.dials, **rates}
        self.layout = layout_of(game)
        self.batches = Endless(len(data), plan.batch, derive(plan.seed, "batches"))
        self.micro_batch = plan.micro_batch or plan.batch
        self.guard = Guard()
        self.figures: dict[str, float] = {}
        self.fresh: dict[str, float] = {}
        self.beside: dict[str, Any] = {}
        self.step = self.samples = 0
        self.seconds = 0.0
        self._since = time.perf_counter()

    @property
    def progress(self) -> Progress:
        """Where the run stands."""
        fraction = self.plan.fraction(self.samples, self.seconds)
        draw = Draw(self.plan.seed, self.step, self.plan.batch, self.world.rows(self.plan.batch), device=self.device)
        return Progress(self.step, self.samples, fraction, draw)

    def __iter__(self) -> Iterator[Progress]:
        if self.plan.samples is None and self.plan.seconds is None:
            raise SparringError(found="a plan without end", expected="samples or seconds", remedy="give one of them")
        self._since = time.perf_counter() - self.seconds
        while self.progress.fraction < 1:
            yield self.advance()

    def advance(self) -> Progress:
        """Make one step: every turn is taken once, or as often in a row as it says."""
        progress = self.progress
        turns = self.game.turns(progress)
        rounds = max((turn.times for turn in turns), default=0)
        if rounds < 1:
            raise SparringError(
                found=f"{len(turns)} turns in step {self.step}, none of which is taken",
                expected="at least one that is taken at least once",
                remedy="look at the game's turns",
            )

        # Lay the schedules over what is spent of the budget.
        for name, optimiser in self.optimisers.items():
            adam, group = self.plan.optimisers[name], optimiser.param_groups[0]
            group["lr"] = adam.learning_rate(progress.fraction) * self.dials[f"{name} rate"].value
            group["betas"] = (adam.beta1, adam.beta2(progress.fraction))

        # Take the turns; a repeated one sees the next batch. Which batch comes first follows from samples seen alone.
        figures: dict[str, float] = {}
        first = self.samples // self.plan.batch
        for turn in turns:
            for again in range(turn.times):
                batch = self._batch(first + again)
                draw = progress.draw.within(f"{turn.name}/{again}")
                figures |= self._play(turn, batch, replace(progress, draw=draw))

        # Let the dials turn by what was just seen.
        seen = {**figures, "fraction": progress.fraction}
        for dial in self.dials.values():
            dial.follow(seen)
        self.fresh = figures | {f"dial: {name}": dial.value for name, dial in self.dials.items()}
        self.figures |= self.fresh

        # Let the averages follow; what no optimiser moves is published as it stands.
        decay = decay_of(self.plan.average_half_life(progress.samples), self.plan.batch * rounds)
        for name in self.game.published:
            if name in self.optimisers:
                follow(self.average.players[name], self.game.players[name], decay)
            else:
                mirror(self.average.players[name], self.game.players[name])

        # Count. All processes go by the slowest clock.
        self.step += 1
        self.samples += self.plan.batch * rounds
        (self.seconds,) = self.world.largest([time.perf_counter() - self._since])
        return self.progress

    def _play(self, turn: Turn, batch: Batch, progress: Progress) -> dict[str, float]:
        """Make one update of the turn's players; return its figures."""
        # Let gradients reach the weights of these players alone.
        moving = self._moving(turn)
        for name, player in self.game.players.items():
            player.requires_grad_(name in moving)
        weights = [weight for name in moving for weight in self.game.players[name].parameters()]

        # Find the gradients and terms of the whole batch, summed over micro-batches and processes.
        terms, notes, rows = self._accumulate(turn, batch, progress, weights)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        self.world.sum([*gradients, *terms.values(), *notes.values()])

        # Judge by the norm of the gradients together; where no weight moves, by the sum of the terms.
        total = torch.zeros((), device=self.device)
        judged = nn.utils.get_total_norm(gradients) if weights else sum(terms.values(), total)
        *values, size = torch.stack([*terms.values(), *notes.values(), judged]).tolist()
        sound = self.guard.note(turn.name, size)

        # Move, unless a number is not finite; then what moves without a gradient.
        for name in moving:
            if sound:
                self.optimisers[name].step()
            self.optimisers[name].zero_grad()
        if not sound:
            self._refuse(turn.name, "gradient" if weights else "sum of terms")
        elif turn.after:
            self._follow_up(turn.after, rows, progress)

        names = [f"{turn.name}/{name}" for name in terms] + [f"{turn.name}: {name}" for name in notes]
        figures = dict(zip(names, values, strict=True))
        return {**figures, f"{turn.name}/gradient": size} if weights else figures

    def _moving(self, turn: Turn) -> list[str]:
        """Names of the turn's players that have an optimiser."""
        for name in turn.movers:
            if name not in self.game.players:
                raise SparringError(
                    found=f"the turn {turn.name!r} of a player {name!r}",
                    expected=f"one of the game's players: {', '.join(self.game.players)}",
                    remedy="name the turn after its player, or give it `players`",
                )
        return [name for name in turn.movers if name in self.optimisers]

    def _accumulate(self, turn: Turn, batch: Batch, progress: Progress, weights: Sequence[nn.Parameter]) -> Sums:
        """Add up the gradients of this process's rows, in portions that fit into memory."""
        while True:
            try:
                return accumulate(
                    turn, batch, progress, weights, micro_batch=self.micro_batch, bfloat16=self.plan.bfloat16
                )
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or self.micro_batch == 1:
                    raise
            # Outside the handler, so that the failed attempt's tensors are free.
            for weight in weights:
                weight.grad = None
            self.micro_batch = (min(self.micro_batch, batch_size(batch)) + 1) // 2
            torch.cuda.empty_cache()
            self.tell(
                "micro-batch",
                f"Out of memory: going on in micro-batches of {self.micro_batch}, same mathematics.",
            )

    def _follow_up(self, after: After, rows: Mapping[str, Sample], progress: Progress) -> None:
        """Move what no gradient moves, by the rows of the whole batch, so that all processes move it alike."""
        parts = iter(self.world.gather(part for sample in rows.values() for part in tensors(sample)))
        gathered = {name: map_tensors(lambda own: next(parts), sample) for name, sample in rows.items()}
        whole = replace(progress.draw, rows=slice(0, progress.draw.total))
        with torch.no_grad():
            after(gathered, replace(progress, draw=whole, notes={}, rows={}))

    def _batch(self, number: int) -> Batch:
        rows = self.world.rows(self.plan.batch)
        draw = Draw(self.plan.seed, number, self.plan.batch, rows, "data/", self.device)
        batch = self.data.batch(self.batches.rows(number)[rows], self.device, draw)
        return map_tensors(self._laid_out, batch)

    def _laid_out(self, part: Tensor) -> Tensor:
        return part.contiguous(memory_format=self.layout) if part.dim() == 4 else part

    def _optimisers(self) -> dict[str, torch.optim.Adam]:
        for name in self.plan.optimisers:
            if name not in self.game.players:
                raise SparringError(
                    found=f"an optimiser for a player {name!r}",
                    expected=f"one of the game's players: {', '.join(self.game.players)}",
                    remedy="name optimisers as the game names its players",
                )
        fused = self.device.type in ("cpu", "cuda")
        found = {}
        for name, player in self.game.players.items():
            weights = list(player.parameters())
            if name in self.plan.optimisers and weights:
                adam = self.plan.optimisers[name]
                betas = (adam.beta1, adam.beta2(0.0))
                found[name] = torch.optim.Adam(weights, adam.learning_rate(0.0), betas, fused=fused)
        return found

    def _refuse(self, turn: str, what: str) -> None:
        self.tell(
            "refused",
            f"The {what} of the {turn} is not finite at step {self.step}: this update is skipped.",
        )
        if self.guard.exhausted:
            raise NotFinite(
                found=f"a {what} of the {turn} that is not finite, {self.guard.refused[turn]} times in a row",
                expected="finite numbers",
                remedy="resume from the last checkpoint with a lower learning rate or a stronger penalty",
            )


def _check(game: Game, data: Dataset, plan: Plan, world: World) -> None:
    """Refuse what no step could be made with."""
    if len(data) == 0:
        raise SparringError(found="no samples", expected="at least one", remedy="give other data")
    if plan.batch < world.size:
        raise SparringError(
            found=f"a batch of {plan.batch} for {world.size} processes",
            expected="a row for each of them at least",
            remedy="give a larger --batch, or start fewer processes",
        )
    ends = [phase.ended_by for phase in game.phases if phase.ended_by]
    if not game.phases or any(name not in game.dials for name in ends):
        raise SparringError(
            found=f"{len(game.phases)} phases that end by {', '.join(ends) or 'their share'}",
            expected="at least one, and the names of the game's dials",
            remedy="look at the game's phases",
        )


def layout_of(game: Game) -> torch.memory_format:
    """Return how the convolutions of the players lie in memory, so that batches can lie alike.

    Channels last where any 4-D weight can be nothing else: 1 × 1 convolutions and those of one channel are both.
    """
    weights = [weight for player in game.players.values() for weight in player.parameters() if weight.dim() == 4]
    last = any(
        weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous() for weight in weights
    )
    return torch.channels_last if last else torch.contiguous_format
