"""RelGAN (Nie et al. 2019): a memory that attends to itself, and a discriminator of several embeddings."""

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from sparring.flow import Verdict
from sparring.layers.tokens.critics import Filters, SoftEmbedding
from sparring.layers.tokens.prompts import PromptEmbedding
from sparring.tokens import Prompt


class MemoryState(NamedTuple):
    """The memory, (batch, slots, size), and the embedding of the class, (batch, embedding)."""

    memory: Tensor
    label: Tensor


@final
class RelationalPredictor(nn.Module):
    """The relational memory of Santoro et al. (2018) as generator (Nie et al. 2019, section 2.2); a ``Sequencer``.

    Args:
        vocabulary: number of token numbers.
        length: tokens of a sequence at most.
        has_end: whether sequences may end before.
        classes: number of classes; 0 without.
        embedding: numbers of an embedded token.
        slots: of the memory.
        heads: of its attention.
        head_size: numbers of a head.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        has_end: bool,
        classes: int = 0,
        embedding: int = 32,
        slots: int = 1,
        heads: int = 2,
        head_size: int = 256,
    ) -> None:
        super().__init__()
        self.vocabulary, self.length, self.has_end = vocabulary, length, has_end
        self.slots, self.heads, size = slots, heads, heads * head_size
        self.embed = PromptEmbedding(vocabulary, classes, embedding)
        self.given = nn.Linear(embedding, size)
        self.query, self.key_value = nn.Linear(size, size), nn.Linear(size, 2 * size)
        self.first_norm, self.second_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.dense = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU())
        # Gates for what is forgotten and what is taken in (Santoro et al. 2018, eqs. 5 to 10).
        self.input_gate, self.memory_gate = nn.Linear(size, 2 * size), nn.Linear(size, 2 * size)
        self.head = nn.Linear(slots * size, vocabulary)

    def begin(self, prompt: Prompt) -> MemoryState:
        """Return the first rows of a unit matrix, by which slots differ."""
        size = self.given.out_features
        memory = torch.eye(self.slots, size, device=self.given.weight.device, dtype=self.given.weight.dtype)
        return MemoryState(memory.expand(len(prompt.label), -1, -1), self.embed.label(prompt))

    def step(self, before: Tensor, state: MemoryState) -> tuple[Tensor, MemoryState]:
        """Return the logits of the next token, and the memory that includes the token before it."""
        memory = self._next_memory(self.given(self.embed(before) + state.label), state.memory)
        logits: Tensor = self.head(memory.flatten(1))
        return logits, MemoryState(memory, state.label)

    def forward(self, tokens: Tensor, prompt: Prompt) -> Tensor:
        """Return the logits of every token, given those before it."""
        given = self.given(self.embed.before(tokens, prompt))
        memory, memories = self.begin(prompt).memory, list[Tensor]()
        for place in range(tokens.shape[1]):
            memory = self._next_memory(given[:, place], memory)
            memories.append(memory.flatten(1))
        logits: Tensor = self.head(torch.stack(memories, 1))
        return logits

    def _next_memory(self, given: Tensor, memory: Tensor) -> Tensor:
        # Every slot attends to all slots and to the token.
        seen = torch.cat([memory, given[:, None]], 1)
        key, value = self.key_value(seen).unflatten(2, (self.heads, -1)).transpose(1, 2).chunk(2, 3)
        query = self.query(memory).unflatten(2, (self.heads, -1)).transpose(1, 2)
        weights = (query @ key.transpose(2, 3) / query.shape[-1] ** 0.5).softmax(3)
        attended = (weights @ value).transpose(1, 2).flatten(2)
        changed = self.first_norm(memory + attended)
        changed = self.second_norm(changed + self.dense(changed))

        # Gates as in an LSTM.
        gates = self.input_gate(given)[:, None] + self.memory_gate(memory.tanh())
        take_in, forget = gates.chunk(2, 2)
        kept: Tensor = torch.sigmoid(take_in) * changed.tanh() + torch.sigmoid(forget + 1) * memory
        return kept


@final
class RepresentationsCritic(nn.Module):
    """Filters over several embeddings of the tokens, a logit for each (Nie et al. 2019, RelGAN, section 2.4).

    Args:
        vocabulary: number of token numbers.
        classes: number of classes; 0 without.
        representations: number of embeddings S.
        embedding: numbers of an embedded token, over all of them.
        filters: tokens that a filter spans → number of such filters.
        dropout: share of the answers that is dropped in training.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        classes: int = 0,
        representations: int = 64,
        embedding: int = 64,
        filters: dict[int, int],
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.representations = representations
        self.embed = SoftEmbedding(vocabulary, classes, embedding)
        self.filters = Filters(embedding // representations, filters)
        self.dropout = nn.Dropout(dropout)
        self.reduce, self.head = nn.Linear(sum(filters.values()), 100), nn.Linear(100, 1)

    def forward(self, sample: Tensor, condition: Prompt | None = None) -> Verdict:
        """Return a logit for each sequence and representation, (batch, representations), and the answers."""
        embedded = self.embed(sample, condition).transpose(1, 2)
        # Each representation is a sequence of its own.
        features = self.filters(embedded.unflatten(1, (self.representations, -1)).flatten(0, 1))
        logits = self.head(self.reduce(self.dropout(features)))[:, 0].unflatten(0, (-1, self.representations))
        return Verdict([logits], [features.unflatten(0, (-1, self.representations)).flatten(1)])


def relgan_filters(length: int, number: int = 300, spans: Sequence[int] = (2, 3, 4, 5)) -> dict[int, int]:
    """Return the filters of RelGAN: 300 each that span 2 to 5 tokens."""
    return {span: number for span in spans if span <= length} or {1: number}
