"""A recurrent network that predicts tokens from those before them and from a source, as a translation is."""

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sparring.layers.tokens.prompts import PromptEmbedding
from sparring.tokens import END, Prompt


class Memory(NamedTuple):
    """A source as a decoder sees it.

    Args:
        states: of its tokens, (batch, source length, width).
        present: which of them are there, (batch, source length).
    """

    states: Tensor
    present: Tensor


class AttentionState(NamedTuple):
    """Both states of the decoder, (batch, layers, width) each, the source, and the embedding of the class."""

    hidden: Tensor
    cell: Tensor
    memory: Memory
    label: Tensor


@final
class SourceEncoder(nn.Module):
    """A bidirectional LSTM over the tokens of a source (Bahdanau et al. 2015, section 3.2).

    Args:
        vocabulary: number of token numbers of the source.
        embedding: numbers of an embedded token.
        width: of the states, half of it for each direction.
        dropout: share of the numbers that is dropped in training.
    """

    def __init__(self, *, vocabulary: int, embedding: int, width: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, embedding)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.lstm = nn.LSTM(embedding, width // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Int[Tensor, "batch length"]) -> tuple[Memory, Tensor, Tensor]:
        """Return the states of all tokens, and the last states of both directions, (batch, width) each."""
        lengths = (source != END).sum(1).clamp_min(1)
        source = source[:, : int(lengths.max())]
        embedded = self.dropout(self.embed(source))
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        found, (hidden, cell) = self.lstm(packed)
        states, _ = pad_packed_sequence(found, batch_first=True, total_length=source.shape[1])
        places = torch.arange(source.shape[1], device=source.device)
        memory = Memory(self.dropout(states), places < lengths[:, None])
        return memory, hidden.transpose(0, 1).flatten(1), cell.transpose(0, 1).flatten(1)


@final
class AttentivePredictor(nn.Module):
    """An LSTM that attends to the states of an encoder at every token; satisfies ``Sequencer``.

    Global attention with the score "general" (Luong et al. 2015, section 3.1, eqs. 5-8), without input feeding. Tokens
    are embedded by the weights of the last layer (Press & Wolf 2017).

    Args:
        source_vocabulary: number of token numbers of the source.
        vocabulary: number of token numbers.
        length: tokens of a sequence at most.
        has_end: whether sequences may end before.
        classes: number of classes; 0 without.
        width: numbers of an embedded token, and units of both sides; even.
        dropout: share of the numbers that is dropped in training.
    """

    def __init__(
        self,
        *,
        source_vocabulary: int,
        vocabulary: int,
        length: int,
        has_end: bool,
        classes: int = 0,
        width: int = 256,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.vocabulary, self.length, self.has_end = vocabulary, length, has_end
        self.encoder = SourceEncoder(vocabulary=source_vocabulary, embedding=width, width=width, dropout=dropout)
        self.embed = PromptEmbedding(vocabulary, classes, width)
        self.bridge = nn.Linear(2 * width, 2 * width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.score, self.mix = nn.Linear(width, width, bias=False), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def begin(self, prompt: Prompt) -> AttentionState:
        """Return the source, and the states that the decoder starts with."""
        assert prompt.source is not None, "prompts without sources"
        memory, hidden, cell = self.encoder(prompt.source)
        hidden, cell = self.bridge(torch.cat([hidden, cell], 1)).tanh().chunk(2, 1)
        return AttentionState(hidden[:, None], cell[:, None], memory, self.embed.label(prompt))

    def step(
        self, before: Int[Tensor, " batch"], state: AttentionState
    ) -> tuple[Float[Tensor, "batch vocabulary"], AttentionState]:
        """Return the logits of the next token, and the state after the token before it."""
        output, (hidden, cell) = self._decoded((self.embed(before) + state.label)[:, None], state)
        return self._logits(output, state.memory)[:, 0], state._replace(hidden=hidden, cell=cell)

    def forward(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length vocabulary"]:
        """Return the logits of every token, given those before it."""
        state = self.begin(prompt)
        output, _ = self._decoded(self.dropout(self.embed.before(tokens, prompt)), state)
        return self._logits(output, state.memory)

    def _decoded(self, given: Tensor, state: AttentionState) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        states = state.hidden.transpose(0, 1).contiguous(), state.cell.transpose(0, 1).contiguous()
        output, (hidden, cell) = self.lstm(given, states)
        return output, (hidden.transpose(0, 1), cell.transpose(0, 1))

    def _logits(self, output: Float[Tensor, "batch places width"], memory: Memory) -> Float[Tensor, "batch places _"]:
        """Attend to the source (eqs. 7 and 8), and mix what is found with the states of the decoder (eqs. 5 and 6)."""
        scores = self.score(self.dropout(output)) @ memory.states.transpose(1, 2)  # (batch, places, source length)
        weights = scores.masked_fill(~memory.present[:, None], -torch.inf).softmax(2)
        mixed = self.mix(torch.cat([weights @ memory.states, output], 2)).tanh()
        # The start, the last embedding, is never predicted.
        logits: Tensor = self.dropout(mixed) @ self.embed.tokens.weight[:-1].T + self.bias
        return logits
