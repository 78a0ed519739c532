"""Objectives: scores of molecules for which generators are rewarded, and by which samples are sorted."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparring.data.facts import Facts
from sparring.errors import SparringError, nearest
from sparring.flow import Batch
from sparring.metrics.own_score import OwnScore, permitted_score
from sparring.modalities.molecules.chemistry import OBJECTIVES, Mol, canonical, parsed
from sparring.modalities.molecules.features import identity
from sparring.modalities.molecules.forms import smiles_of
from sparring.recipe import is_own
from sparring.tokens import Prompt

OBJECTIVE = "objective"
"""Name of the option by which users give one."""
VALIDITY, NOVELTY, UNIQUENESS = "validity", "novelty", "uniqueness"
NAMES = (*OBJECTIVES, VALIDITY, NOVELTY, UNIQUENESS)
MAX_CACHED = 2**18
"""SMILES whose values are kept."""


@final
class MoleculeObjective:
    """A score of molecules, higher for better ones; what is no molecule has 0.

    ``validity`` is 1 for every molecule, ``novelty`` 1 for those that are not in the training data and 0 for the
    others, ``uniqueness`` 1 / n for each of n equal ones among those that are scored together (Guimaraes et al. 2017,
    section 3). Others are scores of ``chemistry.OBJECTIVES``, in [0, 1], or the user's own function of a molecule.

    Args:
        name: one of these, several with ``*`` between them for their product, or ``file.py:function``.
        own: that function; None until it is needed, as a model that only generates never calls it.
        trained: canonical SMILES of the training data, for ``novelty``.

    Raises:
        SparringError: there is no such objective.
    """

    def __init__(self, name: str, own: OwnScore | None = None, trained: frozenset[str] = frozenset()) -> None:
        self.name, self.own, self.trained = name, own, trained
        self.factors = () if is_own(name) else _factors(name)
        self._cache: dict[str, tuple[str, float]] = {}

    def scored(self, texts: Sequence[str], *, once: bool) -> list[tuple[str, float]]:
        """Return the canonical form of each of several SMILES, "" for no molecule, and its score.

        Args:
            texts: the SMILES.
            once: whether the score of a molecule is divided by the number of its copies among them.

        Raises:
            SparringError: the user's own function fails, or does not return a finite number.
        """
        found = [self._of(text) for text in texts]
        copies = Counter(molecule for molecule, _ in found) if once else None
        return [(molecule, score / copies[molecule] if copies else score) for molecule, score in found]

    def take_data(self, batches: Iterable[Batch], facts: Facts) -> None:
        """Learn which molecules are not novel, and find out that the user's own function runs.

        Args:
            batches: training samples.
            facts: about them.

        Raises:
            SparringError: the user has not given it in this process, or it fails for a molecule of the data.
        """
        if is_own(self.name):
            self.own = permitted_score(self.name, OBJECTIVE)
            self.scored(smiles_of(next(iter(batches)).real, facts)[:1], once=False)
        elif NOVELTY in self.factors:
            texts = (text for batch in batches for text in smiles_of(batch.real, facts))
            self.trained = frozenset(map(identity, texts))

    def _of(self, text: str) -> tuple[str, float]:
        """Return the canonical form of a SMILES, and the product of its factors but uniqueness."""
        if text not in self._cache:
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            mol = parsed(text)
            self._cache[text] = ("", 0.0) if mol is None else (canonical(mol), self._score(mol, text))
        return self._cache[text]

    def _score(self, mol: Mol, text: str) -> float:
        if is_own(self.name):
            assert self.own is not None
            return self.own(mol, f"the molecule {text}")
        novel = NOVELTY not in self.factors or canonical(mol) not in self.trained
        return math.prod(OBJECTIVES[factor](mol) for factor in self.factors if factor in OBJECTIVES) if novel else 0.0


def _factors(name: str) -> tuple[str, ...]:
    """Return the names of the factors of an objective.

    Raises:
        SparringError: one of them is unknown.
    """
    factors = tuple(part.strip() for part in name.split("*"))
    for factor in factors:
        if factor not in NAMES:
            raise SparringError(
                found=f"the objective {factor!r}",
                expected=f"one of {', '.join(NAMES)}, a product such as {VALIDITY}*{NOVELTY}, or your own as "
                "file.py:function",
                remedy=f"check the spelling{nearest(factor, list(NAMES))}",
            )
    return factors


@final
class ObjectiveReward:
    """An objective as the reward of sequences of tokens; every molecule counts once in a batch.

    The reward of a molecule is divided by the number of its copies among those that were generated together
    (Guimaraes et al. 2017, section 3), however each of them is written.

    Args:
        objective: the objective.
        facts: of the training data.
    """

    def __init__(self, objective: MoleculeObjective, facts: Facts) -> None:
        self.objective, self.facts = objective, facts

    def __call__(self, tokens: Int[Tensor, "draws batch length"], prompt: Prompt) -> Float[Tensor, "draws batch"]:
        """Return the rewards; see ``games.policy.Reward``."""
        draws, rows, _ = tokens.shape
        texts = smiles_of(tokens.flatten(0, 1).cpu(), self.facts)
        parts = (texts[start : start + rows] for start in range(0, draws * rows, rows))
        scores = [[score for _, score in self.objective.scored(part, once=True)] for part in parts]
        return torch.tensor(scores, dtype=torch.float32, device=tokens.device)

    def take_data(self, batches: Iterable[Batch]) -> None:
        """Show the training samples to the objective."""
        self.objective.take_data(batches, self.facts)
