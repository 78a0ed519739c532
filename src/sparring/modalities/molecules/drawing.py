"""Drawings of molecules, as pixels and as vectors."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from sparring.modalities.molecules.chemistry import library, parsed
from sparring.rendering.exhibits import VECTOR_MARK, Picture, picture_of

SIDE = 190
"""Width and height of a cell in pixels, the SMILES at its bottom included."""
MAX_LETTERS = 24
"""Letters of a SMILES below its drawing."""
BOND = 26
"""Pixels of a bond at most, so that small molecules are not drawn larger than others."""
MARGIN, CROSS, CROSS_COLOUR = 45, 2, "#c0392b"
"""Pixels around the cross over what is no molecule, its line width and its colour."""


def molecule_grid(texts: Sequence[str], columns: int) -> Picture:
    """Draw molecules row by row with their SMILES below; what is no molecule is a cross over its text.

    Args:
        texts: SMILES.
        columns: molecules in a row.
    """
    columns = max(1, min(columns, len(texts)))
    width, height = columns * SIDE, max(1, -(-len(texts) // columns)) * SIDE
    rdkit = library().Draw
    mols = [parsed(text) for text in texts]
    legends = [_short(text) for text in texts]
    pixels = Image.open(io.BytesIO(_drawn(rdkit.MolDraw2DCairo(width, height, SIDE, SIDE), mols, legends)))
    vectors = _drawn(rdkit.MolDraw2DSVG(width, height, SIDE, SIDE), mols, legends).decode()

    # Cross out what is no molecule, in both drawings.
    image = pixels.convert("RGB")
    draw, lines = ImageDraw.Draw(image), list[str]()
    for number, mol in enumerate(mols):
        if mol is None:
            left, top = number % columns * SIDE + MARGIN, number // columns * SIDE + MARGIN
            right, bottom = left + SIDE - 2 * MARGIN, top + SIDE - 2 * MARGIN
            for line in ((left, top, right, bottom), (left, bottom, right, top)):
                draw.line(line, fill=CROSS_COLOUR, width=CROSS)
                lines.append("<line x1='{}' y1='{}' x2='{}' y2='{}' ".format(*line))
    crosses = "".join(f"{line}stroke='{CROSS_COLOUR}' stroke-width='{CROSS}'/>\n" for line in lines)
    start, end = vectors.replace("\r\n", "\n").rsplit("</svg>", 1)
    declaration, _, body = start.partition("?>\n")
    file = f"{declaration}?>\n{VECTOR_MARK}\n{body}{crosses}</svg>{end}"

    wrong = sum(mol is None for mol in mols)
    words = f"{len(texts)} molecules" + (f", {wrong} of which are none and are crossed out" if wrong else "")
    return picture_of(image, vector=file.encode(), words=words)


def _drawn(drawer: Any, mols: Sequence[Any], legends: Sequence[str]) -> bytes:
    """Return the file of a drawing."""
    options = drawer.drawOptions()
    options.fixedBondLength = BOND
    options.legendFontSize = 13
    options.padding = 0.08
    blank = library().Chem.Mol()
    if mols:
        drawer.DrawMolecules([blank if mol is None else mol for mol in mols], legends=list(legends))
    drawer.FinishDrawing()
    drawn = drawer.GetDrawingText()
    return drawn if isinstance(drawn, bytes) else str(drawn).encode()


def _short(text: str) -> str:
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1]}…"
