"""Forms of molecules as networks see them, and their SMILES: the only place that knows the forms."""

from torch import Tensor

from sparring.data.facts import Facts
from sparring.data.sequences.coding import coding_of


def smiles_of(samples: Tensor, facts: Facts) -> list[str]:
    """Return the SMILES of samples, also of those that are no molecules.

    Args:
        samples: token numbers, (count, length).
        facts: of the data.
    """
    decode = coding_of(facts).tokeniser.decode
    return [decode(row) for row in samples.tolist()]
