"""Molecules as SMILES, as drawings and as files."""

from collections.abc import Sequence
from pathlib import Path

from sparring.data.facts import Facts
from sparring.modalities.molecules.chemistry import parsed, sdf
from sparring.modalities.molecules.drawing import molecule_grid
from sparring.modalities.molecules.forms import Samples, smiles_of
from sparring.rendering.exhibits import Picture
from sparring.samples import take
from sparring.storage import write_bytes

MAX_SHOWN = 32
"""Molecules that are shown."""
INVALID = "invalid"
"""Second word of the line of a sample that is no molecule."""


def shown(samples: Samples, facts: Facts, columns: int) -> Picture:
    """Return drawings of the first samples; what is no molecule is text, crossed out."""
    return molecule_grid(smiles_of(take(samples, slice(0, MAX_SHOWN)), facts), columns)


def save(
    samples: Samples, folder: Path, facts: Facts, *, first: int = 0, scores: Sequence[float] | None = None
) -> list[Path]:
    """Write molecules, and return the paths of the files.

    ``molecules-NNNNNN.smi`` has all samples, one on each line, those that are no molecule with a second word that says
    so; ``molecules-NNNNNN.sdf`` has the valid ones, with the atoms in two dimensions. Both have the number of the
    first sample in their names, and the number of each sample as its name in the second one. With scores, these are the
    second words of the valid ones.
    """
    texts = smiles_of(samples, facts)
    mols = [parsed(one) for one in texts]
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"molecules-{first:06d}"
    words = [""] * len(texts) if scores is None else [f"\t{one:.6g}" for one in scores]
    words = [word if mol is not None else f"\t{INVALID}" for word, mol in zip(words, mols, strict=True)]
    lines = [f"{one}{word}" for one, word in zip(texts, words, strict=True)]
    valid = [(mol, str(number)) for number, mol in enumerate(mols, first) if mol is not None]
    files = {
        stem.with_suffix(".smi"): "".join(f"{line}\n" for line in lines),
        stem.with_suffix(".sdf"): sdf([mol for mol, _ in valid], [name for _, name in valid]),
    }
    for path, content in files.items():
        write_bytes(path, content.encode())
    return list(files)
