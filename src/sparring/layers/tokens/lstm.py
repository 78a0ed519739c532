"""A recurrent network that predicts tokens."""

from typing import NamedTuple, final

from jaxtyping import Float, Int
from torch import Tensor, nn

from sparring.layers.tokens.prompts import PromptEmbedding
from sparring.tokens import Prompt


class LSTMState(NamedTuple):
    """Both states of every layer, (batch, layers, width) each, and the embedding of the class, (batch, embedding)."""

    hidden: Tensor
    cell: Tensor
    label: Tensor


@final
class LSTMPredictor(nn.Module):
    """An LSTM over embedded tokens, with a linear layer to the logits of the next one; satisfies ``Sequencer``.

    Args:
        vocabulary: number of token numbers.
        length: tokens of a sequence at most.
        has_end: whether sequences may end before.
        classes: number of classes; 0 without.
        embedding: numbers of an embedded token.
        width: units of each layer.
        layers: number of layers.
        dropout: share of the units of embeddings and outputs that is dropped in training.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        has_end: bool,
        classes: int = 0,
        embedding: int = 128,
        width: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.length, self.has_end = vocabulary, length, has_end
        self.embed = PromptEmbedding(vocabulary, classes, embedding)
        self.lstm = nn.LSTM(embedding, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, vocabulary)

    def begin(self, prompt: Prompt) -> LSTMState:
        """Return zeros, and the embedding of the class."""
        zeros = self.head.weight.new_zeros(len(prompt.label), self.lstm.num_layers, self.lstm.hidden_size)
        return LSTMState(zeros, zeros, self.embed.label(prompt))

    def step(
        self, before: Int[Tensor, " batch"], state: LSTMState
    ) -> tuple[Float[Tensor, "batch vocabulary"], LSTMState]:
        """Return the logits of the next token, and the state after the token before it."""
        given = self.embed(before) + state.label
        states = state.hidden.transpose(0, 1).contiguous(), state.cell.transpose(0, 1).contiguous()
        output, (hidden, cell) = self.lstm(given[:, None], states)
        return self.head(output[:, 0]), LSTMState(hidden.transpose(0, 1), cell.transpose(0, 1), state.label)

    def forward(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length vocabulary"]:
        """Return the logits of every token, given those before it."""
        output, _ = self.lstm(self.dropout(self.embed.before(tokens, prompt)))
        logits: Tensor = self.head(self.dropout(output))
        return logits
