"""Gradient accumulation: one update, computed in micro-batches that fit into memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import final

import torch
from torch import Tensor, nn

from sparring.errors import SparringError
from sparring.flow import Batch, Objective, Progress, Sample
from sparring.randomness import seeded
from sparring.samples import concatenate, map_tensors, take
from sparring.training.devices import out_of_memory


@final
class MicroBatches:
    """The micro-batches of one update: ``for part in micro_batches: with part: part.backward(objective)``.

    Out of memory, the iteration starts again with micro-batches of half the size. Random numbers are drawn for the rows
    of the whole batch, so the split changes only rounding, unless a network or a term mixes the samples of a batch
    (batch norm, packing, DRAGAN, feature matching, mode seeking).

    Args:
        batch: this rank's rows of the batch.
        progress: its ``random`` is that of these rows.
        weights: accumulate gradients; with none the terms alone are summed.
        size: rows computed at once.
        bfloat16: whether objectives are computed under bf16 autocast.
        on_halved: called with the new size when memory ran out.

    Attributes:
        terms: term → its mean over the whole batch, this rank's share of it.
        notes: likewise.
    """

    def __init__(
        self,
        batch: Batch,
        progress: Progress,
        weights: Sequence[nn.Parameter],
        *,
        size: int,
        bfloat16: bool = False,
        on_halved: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.batch, self.progress, self.weights = batch, progress, weights
        self.size, self.bfloat16, self.on_halved = size, bfloat16, on_halved
        self._reset()

    def __iter__(self) -> Iterator["MicroBatch"]:
        rows = self.progress.random.rows
        start = rows.start
        while start < rows.stop:
            part = MicroBatch(self, slice(start, min(start + self.size, rows.stop)))
            yield part
            start = self._halve() if part.ran_out_of_memory else part.rows.stop

    @property
    def rows(self) -> dict[str, Sample]:
        """Rows for ``Turn.after``, those of all micro-batches in the order of the batch, detached."""
        names = self._rows[0] if self._rows else {}
        return {name: concatenate([rows[name] for rows in self._rows]) for name in names}

    def add(self, objective: Objective, share: float) -> None:
        """Add gradients, terms and notes of ``share`` of the batch."""
        _check(objective)
        # loss = (n / N) Σ terms, so that the sum over micro-batches is the mean over the batch.
        if self.weights:
            loss = torch.stack(list(objective.terms.values())).sum() * share
            loss.backward(inputs=self.weights)
        for sums, values in ((self.terms, objective.terms), (self.notes, objective.notes)):
            for name, value in values.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() * share
        self._rows.append({name: map_tensors(Tensor.detach, sample) for name, sample in objective.rows.items()})

    def _halve(self) -> int:
        """Forget what was added, halve the size and return the first row."""
        rows = self.progress.random.rows
        self.size = (min(self.size, rows.stop - rows.start) + 1) // 2
        self._reset()
        torch.cuda.empty_cache()
        self.on_halved(self.size)
        return int(rows.start)

    def _reset(self) -> None:
        self.terms: dict[str, Tensor] = {}
        self.notes: dict[str, Tensor] = {}
        self._rows: list[dict[str, Sample]] = []
        for weight in self.weights:
            weight.grad = None


def _check(objective: Objective) -> None:
    """Refuse an objective without terms, and values that are no scalar tensors.

    Raises:
        SparringError: it is one.
    """
    if not objective.terms:
        raise SparringError(
            found="an objective without terms", expected="at least one", remedy="check the objective of the turn"
        )
    for name, value in (*objective.terms.items(), *objective.notes.items()):
        if not isinstance(value, Tensor) or value.dim() > 0:
            shown = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
            raise SparringError(
                found=f"{name!r} of {shown} in an objective",
                expected="a tensor of one number, such as the mean over the batch",
                remedy="check the objective of the turn",
            )


@final
class MicroBatch:
    """Some rows of a batch. Inside ``with`` torch's global generator is seeded for them, and autocast is on if asked.

    Attributes:
        batch: the rows.
        progress: with the random numbers that these rows have in the whole batch, and what was made of them.
    """

    def __init__(self, whole: MicroBatches, rows: slice) -> None:
        random = whole.progress.random
        self.whole, self.rows = whole, rows
        here = slice(rows.start - random.rows.start, rows.stop - random.rows.start)
        self.batch, made = take(whole.batch, here), whole.progress.made
        made = {name: take(sample, here) for name, sample in made.items()}
        self.progress = replace(whole.progress, random=replace(random, rows=rows), made=made)
        self.ran_out_of_memory = False
        self._contexts = ExitStack()

    def __enter__(self) -> "MicroBatch":
        random = self.progress.random
        self._contexts.enter_context(seeded(random.seed, f"{random.stream}{self.rows.start}", random.step))
        self._contexts.enter_context(torch.autocast(random.device.type, torch.bfloat16, enabled=self.whole.bfloat16))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._contexts.close()
        self.ran_out_of_memory = error is not None and out_of_memory(error) and self.whole.size > 1
        return self.ran_out_of_memory

    def backward(self, objective: Objective) -> None:
        """Run the backward pass, outside autocast, and accumulate gradients, terms, notes and rows."""
        self._contexts.close()
        self.whole.add(objective, (self.rows.stop - self.rows.start) / self.progress.random.total)
