"""Discriminators of sequences of tokens."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from sparring.flow import Verdict
from sparring.tokens import Prompt

SEQGAN_FILTERS = {
    **{1: 100, 2: 200, 3: 200, 4: 200, 5: 200, 6: 100, 7: 100, 8: 100, 9: 100, 10: 100},
    **{15: 160, 20: 160},
}
"""Tokens that a filter spans → number of filters, for sequences of 20 tokens (Yu et al. 2017, code)."""


class SoftEmbedding(nn.Module):
    """Embeds tokens, or distributions over them, (batch, length, vocabulary), by their mean embedding.

    Args:
        vocabulary: number of token numbers.
        classes: number of classes, whose embeddings are added; 0 without.
        size: numbers of an embedding.
    """

    def __init__(self, vocabulary: int, classes: int, size: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.1 * torch.randn(vocabulary, size))
        self.classes = nn.Embedding(classes + 1, size) if classes else None

    def forward(self, sample: Tensor, prompt: Prompt | None) -> Float[Tensor, "batch length size"]:
        """Return embedded sequences."""
        found = sample @ self.table if sample.is_floating_point() else self.table[sample]
        if self.classes is not None and prompt is not None:
            found = found + self.classes(prompt.label + 1)[:, None]
        return found


@final
class Filters(nn.Module):
    """Filters over a few tokens each, the strongest answer of every filter, and a highway layer on these.

    Args:
        size: numbers of an embedded token.
        filters: tokens that a filter spans → number of such filters.
    """

    def __init__(self, size: int, filters: dict[int, int]) -> None:
        super().__init__()
        self.longest, width = max(filters), sum(filters.values())
        self.filters = nn.ModuleList(nn.Conv1d(size, number, span) for span, number in filters.items())
        self.gate, self.change = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, embedded: Float[Tensor, "batch size length"]) -> Float[Tensor, "batch filters"]:
        """Return the features of embedded sequences."""
        padded = pad(embedded, (0, max(0, self.longest - embedded.shape[2])))
        answers = torch.cat([relu(one(padded)).amax(2) for one in self.filters], 1)
        share = torch.sigmoid(self.gate(answers))
        return share * relu(self.change(answers)) + (1 - share) * answers


@final
class ConvolutionalCritic(nn.Module):
    """Filters over a few tokens each, the strongest answer of every filter, a highway layer, one logit.

    The text classifier of Kim (2014) with the highway layer of Srivastava et al. (2015), as in SeqGAN (section 3.2).

    Args:
        vocabulary: number of token numbers.
        classes: number of classes; 0 without.
        embedding: numbers of an embedded token.
        filters: tokens that a filter spans → number of such filters.
        dropout: share of the answers that is dropped in training.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        classes: int = 0,
        embedding: int = 64,
        filters: dict[int, int],
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.embed = SoftEmbedding(vocabulary, classes, embedding)
        self.filters = Filters(embedding, filters)
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(sum(filters.values()), 1)

    def forward(self, sample: Tensor, condition: Prompt | None = None) -> Verdict:
        """Return a logit for each sequence, (batch,), and the answers of the filters."""
        embedded = self.embed(sample, condition).transpose(1, 2)  # (batch, embedding, length)
        features = self.filters(embedded)
        return Verdict([self.head(self.dropout(features))[:, 0]], [features])


@final
class RecurrentCritic(nn.Module):
    """An LSTM that judges every token by those before it (de Masson d'Autume et al. 2019, section 2.1).

    Args:
        vocabulary: number of token numbers.
        classes: number of classes; 0 without.
        embedding: numbers of an embedded token.
        width: units.
        dropout: share of the units that is dropped in training.
    """

    def __init__(
        self, *, vocabulary: int, classes: int = 0, embedding: int = 64, width: int = 128, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embed = SoftEmbedding(vocabulary, classes, embedding)
        self.lstm = nn.LSTM(embedding, width, batch_first=True)
        self.dropout, self.head = nn.Dropout(dropout), nn.utils.parametrizations.spectral_norm(nn.Linear(width, 1))

    def forward(self, sample: Tensor, condition: Prompt | None = None) -> Verdict:
        """Return a logit for each token, (batch, length), and the states."""
        states, _ = self.lstm(self.dropout(self.embed(sample, condition)))
        return Verdict([self.head(self.dropout(states))[..., 0]], [states.mean(1)])


@final
class PairCritic(nn.Module):
    """Filters over the tokens of a source and of a sequence, and a dense network on the answers of both.

    The discriminator of Yang et al. (2018, section 3.2), with a hidden layer, so that it can compare the two.

    Args:
        source_vocabulary: number of token numbers of the source.
        vocabulary: number of token numbers.
        embedding: numbers of an embedded token.
        source_filters: tokens of a source that a filter spans → number of filters.
        filters: the same of sequences.
        dropout: share of the answers that is dropped in training.
    """

    def __init__(
        self,
        *,
        source_vocabulary: int,
        vocabulary: int,
        embedding: int = 64,
        source_filters: dict[int, int],
        filters: dict[int, int],
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        self.embed_source = SoftEmbedding(source_vocabulary, 0, embedding)
        self.embed = SoftEmbedding(vocabulary, 0, embedding)
        self.source_filters, self.filters = Filters(embedding, source_filters), Filters(embedding, filters)
        width = sum(filters.values())
        self.hidden = nn.Linear(sum(source_filters.values()) + width, width)
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(width, 1)

    def forward(self, sample: Tensor, condition: Prompt) -> Verdict:
        """Return a logit for each pair, (batch,), and the hidden layer."""
        assert condition.source is not None
        given = self.source_filters(self.embed_source(condition.source, None).transpose(1, 2))
        found = self.filters(self.embed(sample, None).transpose(1, 2))
        features = relu(self.hidden(self.dropout(torch.cat([given, found], 1))))
        return Verdict([self.head(self.dropout(features))[:, 0]], [features])


def filters_within(filters: dict[int, int], length: int, share: float = 1.0) -> dict[int, int]:
    """Return filters that span at most ``length`` tokens, a share of each kind."""
    return {span: max(1, round(share * number)) for span, number in filters.items() if span <= length}
