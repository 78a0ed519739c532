"""Gradients, terms and rows of one turn, added up over micro-batches that fit into memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn

from sparring.flow import Batch, Progress, Sample, Terms, Turn
from sparring.randomness import seeded
from sparring.samples import concatenate, map_tensors, take


class Sums(NamedTuple):
    """Results of one turn for this process's rows.

    Args:
        terms: each as its share of the whole batch.
        notes: likewise.
        rows: those that the turn's ``after`` asked for, in the order of the batch, detached.
    """

    terms: Terms
    notes: Terms
    rows: dict[str, Sample]


def accumulate(
    turn: Turn,
    batch: Batch,
    progress: Progress,
    weights: Sequence[nn.Parameter],
    *,
    micro_batch: int,
    bfloat16: bool = False,
) -> Sums:
    """Add the gradients of this process's rows of ``batch`` to ``weights``, and sum up what the terms say.

    Args:
        turn: its terms are computed.
        batch: this process's rows.
        progress: its draw is that of these rows.
        weights: where gradients go; with none the terms alone are computed.
        micro_batch: rows computed at once.
        bfloat16: whether the terms are computed under bf16 autocast.
    """
    draw = progress.draw
    terms, notes, pieces = Terms(), Terms(), list[dict[str, Sample]]()
    for start in range(draw.rows.start, draw.rows.stop, micro_batch):
        # Compute the terms of some rows, with the random numbers that these rows have in the whole batch.
        part = slice(start, min(start + micro_batch, draw.rows.stop))
        piece = take(batch, slice(part.start - draw.rows.start, part.stop - draw.rows.start))
        here = replace(progress, draw=replace(draw, rows=part), notes={}, rows={})
        autocast = torch.autocast(draw.device.type, torch.bfloat16, enabled=bfloat16)
        with seeded(draw.seed, f"{draw.stream}{part.start}", draw.step), autocast:
            parts = turn.terms(piece, here)

        # Each row counts the same, however the batch is split.
        share = (part.stop - part.start) / draw.total
        if weights:
            loss = torch.stack(list(parts.values())).sum() * share
            loss.backward(inputs=weights)
        for sums, values in ((terms, parts), (notes, here.notes)):
            for name, value in values.items():
                sums[name] = sums.get(name, torch.zeros((), device=draw.device)) + value.detach() * share

        # Keep the rows for what follows the update.
        if turn.after:
            pieces.append({name: map_tensors(torch.Tensor.detach, sample) for name, sample in here.rows.items()})
    return Sums(terms, notes, {name: concatenate([piece[name] for piece in pieces]) for name in _names(pieces)})


def _names(pieces: Sequence[dict[str, Sample]]) -> list[str]:
    return list(pieces[0]) if pieces else []
