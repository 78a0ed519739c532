"""Molecules as features: descriptors for metrics, and counts for the watchdog."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.dataset import Split
from sparring.data.facts import Facts
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import named_or_own
from sparring.modalities.molecules.chemistry import canonical, descriptors, fingerprints, parsed
from sparring.modalities.molecules.forms import Samples, smiles_of
from sparring.randomness import derive, generator
from sparring.samples import batch_size, tensors

COMPONENTS = 32
"""Features of a molecule that are made of its fingerprint."""
FITTED = 10_000
"""Training molecules by which the features are scaled."""
FAR = 5.0
"""Distance of what is no molecule from every molecule, in standard deviations of a descriptor."""
MAX_DEVIATIONS = 8.0
"""Bound of a descriptor, so that single absurd values decide no metric."""
CHEAP = "CNOSFlcnos=#(1234["
"""Letters of SMILES that the watchdog counts; that of l is for chlorine."""


def cheap_features(samples: Samples, facts: Facts) -> Float[Tensor, "count features"]:
    """Return how often each SMILES has the letters of common atoms, bonds, branches and rings, and its length.

    They vary smoothly with training, valid or not: what is valid is a signal of its own.
    """
    texts = smiles_of(samples, facts)
    rows = [[float(text.count(letter)) for letter in CHEAP] + [float(len(text))] for text in texts]
    device = tensors(samples)[0].device
    return torch.tensor(rows, dtype=torch.float32, device=device).reshape(len(texts), len(CHEAP) + 1)


@lru_cache(2**16)
def identity(smiles: str) -> str:
    """Return the canonical SMILES without stereochemistry; "" for what is no molecule."""
    mol = parsed(smiles)
    return "" if mol is None else canonical(mol)


def extra_signals(real: Samples, fake: Samples, facts: Facts) -> dict[str, float]:
    """Return the watchdog's signals of molecules alone.

    Returns:
        ``valid``: share of generated samples that are molecules; ``repeated``: share of these that occur twice.
    """
    found = [one for one in map(identity, smiles_of(fake, facts)) if one]
    return {"valid": len(found) / max(1, batch_size(fake)), "repeated": 1 - len(set(found)) / max(1, len(found))}


@final
class Descriptors:
    """Descriptors of RDKit and fingerprints, in standard deviations of the training molecules.

    Morgan fingerprints (Rogers & Hahn 2010) are counted, as log(1 + count), and reduced to the components of largest
    variance among the training molecules. What is no molecule lies at the mean of all of these, and far from every
    molecule in a feature of its own: it is near no real one, and as like as two of a kind to others of it.

    Args:
        split: the molecules.
        seed: draws the training molecules that decide scale and components.
    """

    name = "descriptors"
    cacheable = False

    def __init__(self, split: Split, seed: int) -> None:
        from sklearn.decomposition import TruncatedSVD

        self._facts = split.facts
        rows = torch.randperm(len(split.train), generator=generator(seed, "descriptors"))[:FITTED].sort().values
        mols = [parsed(one) for one in smiles_of(split.train.batch(rows.numpy()).real, split.facts)]
        mols = [mol for mol in mols if mol is not None]
        values = np.array([descriptors(mol) for mol in mols])
        self._mean, spread = values.mean(0), values.std(0)
        self._scale = np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 1.0)
        counts = np.log1p(fingerprints(mols))
        self._center = counts.mean(0)
        size = max(1, min(COMPONENTS, len(mols) - 1))
        random = derive(seed, "components") % 2**32
        self._analysis = TruncatedSVD(size, random_state=random).fit(counts - self._center)
        widest = np.asarray(self._analysis.transform(counts - self._center)).std(0).max()
        self._unit = 1 / max(float(widest), 1e-6)

    def __call__(self, samples: Samples) -> Float[Tensor, "count features"]:
        """Return the features of samples."""
        return torch.from_numpy(self._of(smiles_of(samples, self._facts)))

    def _of(self, texts: Sequence[str]) -> NDArray[np.float32]:
        mols = [parsed(one) for one in texts]
        valid = [at for at, mol in enumerate(mols) if mol is not None]
        width = len(self._mean)
        found = np.zeros((len(texts), width + self._analysis.n_components + 1), dtype=np.float32)
        found[:, -1] = FAR
        if valid:
            some = [mols[at] for at in valid]
            values = (np.array([descriptors(mol) for mol in some]) - self._mean) * self._scale
            found[valid, :width] = values.clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
            components = self._analysis.transform(np.log1p(fingerprints(some)) - self._center)
            found[valid, width:-1] = np.asarray(components) * self._unit
            found[valid, -1] = 0.0
        return found


def extractors(split: Split, seed: int, names: Sequence[str] = ()) -> Mapping[str, Extractor]:
    """Return the named extractors: ``descriptors``, the default, or the user's own ``file.py:function``.

    Raises:
        SparringError: there is no extractor of such a name.
    """
    return named_or_own(names, Descriptors.name, lambda: Descriptors(split, seed))
