"""The loop. It plays any game on any data, and knows no loss, network or modality."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, final

import torch
from torch import nn

from sparring.data.dataset import Dataset
from sparring.data.endless import Endless
from sparring.dials import Dial, recover
from sparring.errors import SparringError
from sparring.flow import Batch, Progress, Terms, Turn
from sparring.games.game import Game
from sparring.randomness import Draw, derive, seeded
from sparring.samples import batch_size, map_tensors, take
from sparring.training.average import decay_of, follow, follower
from sparring.training.devices import out_of_memory
from sparring.training.guard import Guard
from sparring.training.plan import Plan
from sparring.training.processes import World

RISE = 0.005
"""The share by which a lowered learning rate rises with every step, if it is told to: doubled in 139."""


class NotFinite(SparringError):
    """Numbers have not been finite for so many updates that the trainer gives up."""


@final
class Trainer:
    """Plays ``game`` on ``data`` until the budget of ``plan`` is spent: ``for progress in trainer: …``.

    Args:
        game: its players are moved to ``device`` and trained in place.
        data: real samples.
        plan: the numbers.
        device: where to compute.
        world: this process among several.
        tell: called with a kind ("micro-batch", "refused") and a sentence when something noteworthy happens.

    Attributes:
        average: the game whose generators follow slowly: sample from this one.
        dials: those of the game, and a factor on each player's learning rate, "generator rate".
        figures: the terms of the latest step by "player/term", each player's "player/gradient" norm, what the game
            noted lately by "player: note", and where each dial stands by "dial: name".
        fresh: those of them that are of the latest step itself.
        beside: what others want kept in its checkpoints, as JSON values.
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
        self.game, self.data, self.plan = game, data, plan
        self.device, self.world, self.tell = torch.device(device), world or World(), tell
        for player in game.players.values():
            player.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = follower(game)
        self.dials = {**game.dials, **{f"{name} rate": Dial(rule=recover(RISE), obeys=False) for name in game.players}}
        self.optimisers = {name: self._optimiser(name) for name in game.players}
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
        self._since = time.perf_counter() - self.seconds
        while self.progress.fraction < 1:
            yield self.advance()

    def advance(self) -> Progress:
        """One step: every player takes its turns once."""
        progress = self.progress
        turns = self.game.turns(progress)
        rounds = max(turn.times for turn in turns)

        # Lay the schedules over what is spent of the budget.
        for name, adam in self.plan.optimisers.items():
            group = self.optimisers[name].param_groups[0]
            group["lr"] = adam.learning_rate(progress.fraction) * self.dials[f"{name} rate"].value
            group["betas"] = (adam.beta1, adam.beta2(progress.fraction))

        # Let each player take its turns; a repeated turn sees another batch, a function of (seed, step) alone.
        figures: dict[str, float] = {}
        for turn in turns:
            for again in range(turn.times):
                batch = self._batch(self.step * rounds + again)
                draw = progress.draw.within(f"{turn.name}/{again}")
                figures |= self._play(turn, batch, replace(progress, draw=draw))

        # Let the dials turn by what was just seen.
        seen = {**figures, "fraction": progress.fraction}
        for dial in self.dials.values():
            dial.follow(seen)
        self.fresh = figures | {f"dial: {name}": dial.value for name, dial in self.dials.items()}
        self.figures |= self.fresh

        # Let the averages follow.
        decay = decay_of(self.plan.average_half_life(progress.samples), self.plan.batch * rounds)
        for name in self.game.published:
            follow(self.average.players[name], self.game.players[name], decay)

        # Count. All processes go by the slowest clock.
        self.step += 1
        self.samples += self.plan.batch * rounds
        (self.seconds,) = self.world.largest([time.perf_counter() - self._since])
        return self.progress

    def _play(self, turn: Turn, batch: Batch, progress: Progress) -> dict[str, float]:
        """One update of one player; its figures."""
        player = self.game.players[turn.name]
        for name, other in self.game.players.items():
            other.requires_grad_(name == turn.name)

        # Gradients of the whole batch, summed over micro-batches and processes.
        terms, notes = self._gradients(turn, batch, progress)
        gradients = [weight.grad for weight in player.parameters() if weight.grad is not None]
        self.world.sum([*gradients, *terms.values(), *notes.values()])

        # Move, unless a number is not finite.
        norm = nn.utils.get_total_norm(gradients)
        *values, size = torch.stack([*terms.values(), *notes.values(), norm]).tolist()
        sound = self.guard.note(turn.name, size)
        if sound:
            self.optimisers[turn.name].step()
        self.optimisers[turn.name].zero_grad()
        if not sound:
            self._refuse(turn.name)
        if turn.after:
            turn.after({}, progress)

        names = [f"{turn.name}/{name}" for name in terms] + [f"{turn.name}: {name}" for name in notes]
        return dict(zip([*names, f"{turn.name}/gradient"], [*values, size], strict=True))

    def _gradients(self, turn: Turn, batch: Batch, progress: Progress) -> tuple[Terms, Terms]:
        """Add up the gradients of this process's rows, in portions that fit into memory."""
        while True:
            try:
                return self._add_up(turn, batch, progress)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or self.micro_batch == 1:
                    raise
            # Outside the handler, so that the failed attempt's tensors are free.
            self.optimisers[turn.name].zero_grad()
            self.micro_batch = (min(self.micro_batch, batch_size(batch)) + 1) // 2
            torch.cuda.empty_cache()
            self.tell(
                "micro-batch",
                f"Out of memory: going on in micro-batches of {self.micro_batch}, same mathematics.",
            )

    def _add_up(self, turn: Turn, batch: Batch, progress: Progress) -> tuple[Terms, Terms]:
        """The terms and the notes of this process's rows, each as their share of the whole batch."""
        rows, totals, noted = progress.draw.rows, Terms(), Terms()
        weights = list(self.game.players[turn.name].parameters())
        for start in range(rows.start, rows.stop, self.micro_batch):
            part = slice(start, min(start + self.micro_batch, rows.stop))
            here = slice(part.start - rows.start, part.stop - rows.start)
            share = (part.stop - part.start) / self.plan.batch
            piece = take(batch, here)
            stream = f"{progress.draw.stream}{part.start}"
            here_only = replace(progress, draw=replace(progress.draw, rows=part), notes={}, rows={})
            with seeded(self.plan.seed, stream, self.step), self._autocast():
                terms = turn.terms(piece, here_only)
            loss = torch.stack(list(terms.values())).sum() * share
            loss.backward(inputs=weights)
            for whole, parts in ((totals, terms), (noted, here_only.notes)):
                for name, value in parts.items():
                    whole[name] = whole.get(name, torch.zeros((), device=self.device)) + value.detach() * share
        return totals, noted

    def _batch(self, number: int) -> Batch:
        rows = self.world.rows(self.plan.batch)
        draw = Draw(self.plan.seed, number, self.plan.batch, rows, "data/", self.device)
        batch = self.data.batch(self.batches.rows(number)[rows], self.device, draw)
        return map_tensors(_channels_last, batch)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.bfloat16)

    def _optimiser(self, name: str) -> torch.optim.Adam:
        adam = self.plan.optimisers[name]
        betas = (adam.beta1, adam.beta2(0.0))
        weights = self.game.players[name].parameters()
        fused = self.device.type in ("cpu", "cuda")
        return torch.optim.Adam(weights, adam.learning_rate(0.0), betas, fused=fused)

    def _refuse(self, player: str) -> None:
        self.tell(
            "refused",
            f"The gradient of the {player} is not finite at step {self.step}: this update is skipped.",
        )
        if self.guard.exhausted:
            raise NotFinite(
                found=f"a gradient of the {player} that is not finite, {self.guard.refused[player]} times in a row",
                expected="finite numbers",
                remedy="resume from the last checkpoint with a lower learning rate or a stronger penalty",
            )


def _channels_last(part: torch.Tensor) -> torch.Tensor:
    return part.contiguous(memory_format=torch.channels_last) if part.dim() == 4 else part
