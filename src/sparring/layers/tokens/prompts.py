"""Embeddings of tokens and of the class of a sequence."""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sparring.tokens import Prompt


@final
class PromptEmbedding(nn.Module):
    """Embeds tokens, the start of a sequence as the number after the last token, and classes.

    Args:
        vocabulary: number of token numbers.
        classes: number of classes; 0 without.
        size: numbers of an embedding.
    """

    def __init__(self, vocabulary: int, classes: int, size: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary + 1, size)
        # An unknown class, of the number −1, has an embedding of its own.
        self.classes = nn.Embedding(classes + 1, size) if classes else None
        for one in (self.tokens, self.classes):
            if one is not None:
                nn.init.normal_(one.weight, std=0.1)

    def forward(self, tokens: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch size"]:
        """Return embedded tokens."""
        embedded: Tensor = self.tokens(tokens)
        return embedded

    def before(self, tokens: Int[Tensor, "batch length"], prompt: Prompt) -> Float[Tensor, "batch length size"]:
        """Return what each token is predicted from: the embedded token before it, or the start, and the class."""
        before = torch.cat([torch.full_like(tokens[:, :1], self.tokens.num_embeddings - 1), tokens[:, :-1]], 1)
        embedded: Tensor = self(before)
        return embedded if self.classes is None else embedded + self.label(prompt)[:, None]

    def label(self, prompt: Prompt) -> Float[Tensor, "batch size"]:
        """Return the embedded class of each prompt; zeros without classes."""
        if self.classes is None:
            return self.tokens.weight.new_zeros(len(prompt.label), self.tokens.embedding_dim)
        embedded: Tensor = self.classes(prompt.label + 1)
        return embedded
