"""A small transformer that predicts tokens."""

from typing import NamedTuple, cast, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from sparring.layers.tokens.prompts import PromptEmbedding
from sparring.tokens import Prompt


class TransformerState(NamedTuple):
    """Keys and values of every place so far, (batch, blocks, places, width) each, and the embedding of the class."""

    keys: Tensor
    values: Tensor
    label: Tensor


@final
class TransformerPredictor(nn.Module):
    """A causal transformer (Vaswani et al. 2017) with normalisation before each block; satisfies ``Sequencer``.

    Args:
        vocabulary: number of token numbers.
        length: tokens of a sequence at most.
        has_end: whether sequences may end before.
        classes: number of classes; 0 without.
        width: numbers of a place, a multiple of ``heads``.
        blocks: number of blocks.
        heads: of the attention.
        dropout: share of the numbers that is dropped in training.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        has_end: bool,
        classes: int = 0,
        width: int = 128,
        blocks: int = 3,
        heads: int = 4,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.length, self.has_end = vocabulary, length, has_end
        self.embed = PromptEmbedding(vocabulary, classes, width)
        self.places = nn.Parameter(0.1 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(blocks))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)
        self.head = nn.Linear(width, vocabulary)

    def begin(self, prompt: Prompt) -> TransformerState:
        """Return no places, and the embedding of the class."""
        nothing = self.places.new_zeros(len(prompt.label), len(self.blocks), 0, self.places.shape[1])
        return TransformerState(nothing, nothing, self.embed.label(prompt))

    def step(
        self, before: Int[Tensor, " batch"], state: TransformerState
    ) -> tuple[Float[Tensor, "batch vocabulary"], TransformerState]:
        """Return the logits of the next token, and the state after the token before it."""
        place = state.keys.shape[2]
        here = (self.embed(before) + state.label + self.places[place])[:, None]  # (batch, 1, width)
        keys, values = list[Tensor](), list[Tensor]()
        for number, block in enumerate(self.blocks):
            here, key, value = cast(Block, block).step(here, state.keys[:, number], state.values[:, number])
            keys.append(key)
            values.append(value)
        logits: Tensor = self.head(self.norm(here[:, 0]))
        return logits, TransformerState(torch.stack(keys, 1), torch.stack(values, 1), state.label)

    def forward(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length vocabulary"]:
        """Return the logits of every token, given those before it."""
        here = self.dropout(self.embed.before(tokens, prompt) + self.places[: tokens.shape[1]])
        for block in self.blocks:
            here = block(here)
        logits: Tensor = self.head(self.dropout(self.norm(here)))
        return logits


@final
class Block(nn.Module):
    """Attention to the places before, then two dense layers, each added to its input.

    Args:
        width: numbers of a place.
        heads: of the attention.
        dropout: share of the results that is dropped in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.dense_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, here: Float[Tensor, "batch length width"]) -> Float[Tensor, "batch length width"]:
        """Return all places, each of which sees itself and those before it."""
        query, key, value = self.query_key_value(self.attention_norm(here)).chunk(3, 2)
        return self._finished(here, self._attended(query, key, value, causal=True))

    def step(self, here: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return one place, (batch, 1, width), and the keys and values that include it."""
        query, key, value = self.query_key_value(self.attention_norm(here)).chunk(3, 2)
        keys, values = torch.cat([keys, key], 1), torch.cat([values, value], 1)
        return self._finished(here, self._attended(query, keys, values, causal=False)), keys, values

    def _attended(self, query: Tensor, keys: Tensor, values: Tensor, *, causal: bool) -> Tensor:
        by_head = [one.unflatten(2, (self.heads, -1)).transpose(1, 2) for one in (query, keys, values)]
        found = scaled_dot_product_attention(by_head[0], by_head[1], by_head[2], is_causal=causal)
        merged: Tensor = found.transpose(1, 2).flatten(2)
        return merged

    def _finished(self, here: Tensor, attended: Tensor) -> Tensor:
        here = here + self.dropout(self.mix(attended))
        finished: Tensor = here + self.dropout(self.dense(self.dense_norm(here)))
        return finished
