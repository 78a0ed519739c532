"""Tokens: numbers of the units of sequences, such as words, and networks that predict one after the other."""

from typing import Any, NamedTuple, Protocol, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

END, UNKNOWN, SPECIAL = 0, 1, 2
"""Token that ends a sequence and fills its row, that for what a vocabulary lacks, and the first of the vocabulary."""
State: TypeAlias = Any
"""What a network remembers of the tokens so far: a NamedTuple of tensors, (batch, …) each."""


class Prompt(NamedTuple):
    """Beginnings of sequences, and what else they are generated from.

    Args:
        tokens: (batch, length) int64, of which the first ``known`` count.
        known: number of the first tokens that are given, (batch,) int64.
        label: class numbers, (batch,) int64; −1 without classes.
        temperature: divisor of the logits, (batch,); 1 for the distribution that was learned.
        source: tokens of what sequences are made from, such as sentences to translate, (batch, source length) int64,
            ``END`` after the last one; None for sequences without a source.
    """

    tokens: Int[Tensor, "batch length"]
    known: Int[Tensor, " batch"]
    label: Int[Tensor, " batch"]
    temperature: Float[Tensor, " batch"]
    source: Int[Tensor, "batch source_length"] | None = None


class Sequencer(Protocol):
    """A network that predicts each token from those before it; its logits are new tensors, which others may change."""

    @property
    def length(self) -> int:
        """Tokens of a sequence at most."""
        ...

    @property
    def vocabulary(self) -> int:
        """Number of token numbers; the next number stands for the start of a sequence."""
        ...

    @property
    def has_end(self) -> bool:
        """True if sequences may end before ``length``."""
        ...

    def begin(self, prompt: Prompt) -> State:
        """Return the state before the first token."""
        ...

    def step(self, before: Int[Tensor, " batch"], state: State) -> tuple[Float[Tensor, "batch vocabulary"], State]:
        """Return the logits of the next token, and the state that includes the token before it.

        Args:
            before: the token before; ``vocabulary`` at the start.
            state: from ``begin``, or from the step before.
        """
        ...

    def __call__(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length vocabulary"]:
        """Return the logits of every token, given those before it."""
        ...


def no_prompt(rows: int, length: int, device: torch.device | str = "cpu") -> Prompt:
    """Return prompts of which nothing is known."""
    zeros = torch.zeros(rows, dtype=torch.int64, device=device)
    nothing = torch.zeros(rows, length, dtype=torch.int64, device=device)
    return Prompt(nothing, zeros, zeros - 1, torch.ones(rows, device=device))
