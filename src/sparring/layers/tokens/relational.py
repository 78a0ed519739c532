"""A recurrent network whose memory attends to itself."""

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

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

    def step(
        self, before: Int[Tensor, " batch"], state: MemoryState
    ) -> tuple[Float[Tensor, "batch vocabulary"], MemoryState]:
        """Return the logits of the next token, and the memory that includes the token before it."""
        memory = self._next_memory(self.given(self.embed(before) + state.label), state.memory)
        logits: Tensor = self.head(memory.flatten(1))
        return logits, MemoryState(memory, state.label)

    def forward(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length vocabulary"]:
        """Return the logits of every token, given those before it."""
        before = torch.cat([torch.full_like(tokens[:, :1], self.vocabulary), tokens[:, :-1]], 1)
        given = self.given(self.embed(before) + self.embed.label(prompt)[:, None])
        memory, memories = self.begin(prompt).memory, list[Tensor]()
        for place in range(tokens.shape[1]):
            memory = self._next_memory(given[:, place], memory)
            memories.append(memory.flatten(1))
        logits: Tensor = self.head(torch.stack(memories, 1))
        return logits

    def _next_memory(self, given: Float[Tensor, "batch size"], memory: Tensor) -> Tensor:
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
