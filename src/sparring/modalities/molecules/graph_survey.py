"""Molecules that were read once, prepared as SMILES or as graphs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.sequences.rows import TokenRows, TokenSurvey
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.molecules.chemistry import Structure
from sparring.modalities.molecules.graphs import FORM, MAX_ATOMS, OneHot, fitting, graph_coding_of, stored
from sparring.text import number_of


@final
@dataclass(frozen=True)
class MoleculeSurvey:
    """Molecules that were read once.

    Args:
        facts: facts about them.
        rows: their SMILES as tokens.
        structures: their structures, without atoms for those that are no molecules.
    """

    facts: Facts
    rows: TokenRows
    structures: Sequence[Structure]

    def prepare(self, view: View, *, seed: int = 0) -> Split:
        """Split the molecules; equal ones are all for training or all held out.

        Raises:
            SparringError: the view is not that of the molecules, or there are fewer than two different ones.
        """
        if not is_of_graphs(view):
            return TokenSurvey(self.facts, self.rows).prepare(view, seed=seed)
        fits = fitting(self.structures, graph_coding_of(self.facts))
        return TokenSurvey(self.facts, _some(self.rows, fits)).split(self.whole(view), seed)

    def whole(self, view: View) -> Dataset:
        """Return all molecules in order; as graphs, those that fit into the coding.

        Raises:
            SparringError: none does.
        """
        if not is_of_graphs(view):
            return TokenSurvey(self.facts, self.rows).whole(view)
        coding, facts = graph_coding_of(self.facts), self.facts
        fits = fitting(self.structures, coding)
        if not fits.any():
            raise SparringError(
                found=f"no molecule in {facts.source} that fits into graphs of {coding.places} places",
                expected=f"molecules of at most {coding.places} atoms, of the kinds {', '.join(coding.kinds)}",
                remedy="give other molecules, or a recipe for SMILES",
            )
        kept = [one for one, fit in zip(self.structures, fits, strict=True) if fit]
        labels = None if self.rows.labels is None or not facts.classes else self.rows.labels[fits]
        return Dataset(stored(kept, coding), labels, read=OneHot(coding))


def is_of_graphs(view: View) -> bool:
    """Return whether a view is of graphs, rather than of SMILES."""
    return view.options.get("form") == FORM


def left_out(structures: Sequence[Structure]) -> tuple[str, ...]:
    """Return a sentence about molecules that are too large for graphs, if there are some."""
    large = sum(len(one.atoms) > MAX_ATOMS for one in structures)
    verb = "is" if large == 1 else "are"
    return (f"{number_of(large, 'molecule')} of more than {MAX_ATOMS} atoms {verb} left out by recipes on graphs.",) * (
        large > 0
    )


def _some(rows: TokenRows, which: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> TokenRows:
    names = [name for name, fit in zip(rows.names, which, strict=True) if fit]
    return replace(
        rows, tokens=rows.tokens[which], labels=None if rows.labels is None else rows.labels[which], names=names
    )
