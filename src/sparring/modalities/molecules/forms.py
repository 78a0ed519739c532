"""Forms of molecules as networks see them, and their SMILES: the only place that knows the forms."""

from typing import TypeAlias

from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.facts import Facts
from sparring.data.sequences.coding import coding_of
from sparring.modalities.molecules.chemistry import assembled, canonical
from sparring.modalities.molecules.graphs import graph_coding_of, structures_of
from sparring.modalities.molecules.networks.graphs import Graphs

Samples: TypeAlias = Tensor | Graphs
"""Token numbers of SMILES, (count, length), or graphs."""
ROWS_AT_ONCE = 4096
"""Samples of a data set that are read at once."""


def smiles_of(samples: Samples, facts: Facts) -> list[str]:
    """Return the SMILES of samples, also of those that are no molecules.

    Args:
        samples: token numbers or graphs.
        facts: of the data.
    """
    if isinstance(samples, Graphs):
        return [canonical(assembled(one)) for one in structures_of(samples, graph_coding_of(facts))]
    decode = coding_of(facts).tokeniser.decode
    return [decode(row) for row in samples.tolist()]


def smiles_of_all(data: Dataset, facts: Facts) -> list[str]:
    """Return the SMILES of all samples of a data set."""
    starts = range(0, len(data), ROWS_AT_ONCE)
    parts = (data.batch(slice(start, start + ROWS_AT_ONCE)).real for start in starts)
    return [one for part in parts for one in smiles_of(part, facts)]
