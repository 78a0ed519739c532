"""Contrast between patches of one image: what is at one place shares information with its input there, and only there.

>>> features = torch.eye(3)[None]  # Three patches of one image, none of which is like another.
>>> patch_contrast(features, features, temperature=0.07) < 1e-5
tensor(True)
>>> patch_contrast(features, features.roll(1, 1), temperature=0.07) > 10
tensor(True)
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy


def patch_contrast(
    queries: Float[Tensor, "batch patches size"], keys: Float[Tensor, "batch patches size"], *, temperature: float
) -> Float[Tensor, ""]:
    """PatchNCE: cross-entropy of finding the patch of the same place among all patches of the same input.

    Park et al. 2020, eqs. 2 and 3, with the mean over patches instead of the sum.

    Args:
        queries: features of patches of the translation, of norm 1.
        keys: features of patches of its input at the same places, of norm 1.
        temperature: τ.
    """
    similarity = queries.float() @ keys.float().transpose(1, 2) / temperature  # (batch, patches, patches)
    places = torch.arange(similarity.shape[1], device=similarity.device).expand(len(similarity), -1)
    return cross_entropy(similarity.flatten(0, 1), places.flatten())
