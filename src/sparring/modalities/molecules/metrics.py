"""Metrics of molecules, as the evaluation asks for them."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sparring.data.dataset import Split
from sparring.metrics.metric import MetricValues, known
from sparring.metrics.sample_sets import Repeat, SampleMetrics, Subset, cached
from sparring.modalities.molecules.chemistry import internal_diversity, parsed, properties
from sparring.modalities.molecules.features import identity
from sparring.modalities.molecules.forms import smiles_of, smiles_of_all

PROPERTIES = ("qed", "logp", "sa", "weight")
"""Properties whose distributions are compared; see ``chemistry.properties``."""
DIVERSITY_OF = 5000
"""Molecules whose pairs are compared at most."""


def measure(split: Split, seed: int, *, further: bool = True) -> SampleMetrics:
    """Return validity, uniqueness, novelty, internal diversity, and distances of properties.

    Shares are those of MolGAN (De Cao & Kipf 2018, section 5): ``validity`` of all samples; ``uniqueness``, the number
    of different molecules among the valid samples, and ``novelty``, the number of valid samples that are no training
    molecule, repeated ones included, both of the valid samples. Molecules are equal if their canonical SMILES without
    stereochemistry are. Real novelty is that of held-out molecules.

    Args:
        split: the molecules.
        seed: unused: nothing is drawn.
        further: with the distances of properties, which take milliseconds a molecule.
    """
    from scipy.stats import wasserstein_distance

    facts = split.facts
    trained = {*map(identity, smiles_of_all(split.train, facts))}

    def texts(side: Subset) -> list[str]:
        return smiles_of(side.batch().real, facts)

    def one_side(side: Sequence[str], real: Mapping[str, Sequence[float]]) -> MetricValues:
        valid = [one for one in side if identity(one)]
        found: MetricValues = {
            "validity": len(valid) / max(1, len(side)),
            "uniqueness": _share(len({*map(identity, valid)}), valid),
            "novelty": _novelty(valid, trained),
            "internal_diversity": internal_diversity([parsed(one) for one in valid[:DIVERSITY_OF]]),
        }
        for name, values in real.items():
            own = [_figures(one)[name] for one in valid]
            found[f"{name}_distance"] = float(wasserstein_distance(own, values)) if own else math.nan
        return known(found)

    def compute(one: Repeat) -> tuple[MetricValues, MetricValues]:
        real = [text for text in texts(one.real) if identity(text)] if further else []
        compared = {name: [_figures(text)[name] for text in real] for name in PROPERTIES} if real else {}
        fake, floor = one_side(texts(one.fake), compared), one_side(texts(one.floor), compared)
        held_out = [text for text in texts(one.held_out) if identity(text)]
        return fake, {**floor, **known({"novelty": _novelty(held_out, trained)})}

    return cached(f"molecules {facts.fingerprint} {seed} {further}", compute)


def _novelty(valid: Sequence[str], trained: "set[str]") -> float:
    return _share(sum(identity(one) not in trained for one in valid), valid)


def _share(count: int, valid: Sequence[Any]) -> float:
    """Return a share of the valid samples; NaN if there is none."""
    return count / len(valid) if valid else math.nan


@lru_cache(2**16)
def _figures(smiles: str) -> Mapping[str, float]:
    return properties(parsed(smiles))
