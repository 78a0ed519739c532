"""Drawings of molecules, as pixels and as vectors."""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from sparring.modalities.molecules.chemistry import Mol, library, parsed
from sparring.rendering.exhibits import VECTOR_MARK, Picture, picture_of

SIDE, PADDING = 190, 0.12
"""Width and height of a cell in pixels, and the share of them around a molecule, where its SMILES has room."""
LETTERS, LETTER_COLOUR = 12, "#444444"
"""Height of the letters of SMILES in pixels, and their colour."""
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
    image = Image.open(io.BytesIO(_drawn(rdkit.MolDraw2DCairo(width, height, SIDE, SIDE), mols))).convert("RGB")
    vectors = _drawn(rdkit.MolDraw2DSVG(width, height, SIDE, SIDE), mols).decode()

    # Write the SMILES below the molecules, and cross out what is none, in both drawings.
    draw, font, added = ImageDraw.Draw(image), ImageFont.load_default(LETTERS), list[str]()
    for number, (text, mol) in enumerate(zip(texts, mols, strict=True)):
        left, top = number % columns * SIDE, number // columns * SIDE
        colour = CROSS_COLOUR if mol is None else LETTER_COLOUR
        middle, base = left + SIDE // 2, top + SIDE - LETTERS // 2
        draw.text((middle, base), _short(text), fill=colour, font=font, anchor="ms")
        added.append(
            f"<text x='{middle}' y='{base}' text-anchor='middle' font-family='sans-serif' font-size='{LETTERS}' "
            f"fill='{colour}'>{escape(_short(text))}</text>"
        )
        near, far = MARGIN, SIDE - MARGIN
        for one, other in ((near, far), (far, near)) * (mol is None):
            line = (left + near, top + one, left + far, top + other)
            draw.line(line, fill=colour, width=CROSS)
            ends = "x1='{}' y1='{}' x2='{}' y2='{}'".format(*line)
            added.append(f"<line {ends} stroke='{colour}' stroke-width='{CROSS}'/>")
    inside = vectors.partition("?>\n")[2].rpartition("</svg>")[0]
    lines = "\n".join(added)
    file = f"<?xml version='1.0' encoding='UTF-8'?>\n{VECTOR_MARK}\n{inside}{lines}\n</svg>\n"

    wrong = sum(mol is None for mol in mols)
    words = f"{len(texts)} molecules" + (f", {wrong} of which are none and are crossed out" if wrong else "")
    return picture_of(image, vector=file.encode(), words=words)


def _drawn(drawer: Any, mols: Sequence[Mol | None]) -> bytes:
    """Return the file of a drawing."""
    options = drawer.drawOptions()
    options.fixedBondLength = BOND
    options.padding = PADDING
    options.drawMolsSameScale = False
    blank = library().Chem.Mol()
    if mols:
        drawer.DrawMolecules([blank if mol is None else mol for mol in mols])
    drawer.FinishDrawing()
    drawn = drawer.GetDrawingText()
    return drawn if isinstance(drawn, bytes) else str(drawn).encode()


def _short(text: str) -> str:
    if not text:
        return "(no atom)"
    return text if len(text) <= MAX_LETTERS else f"{text[: MAX_LETTERS - 1]}…"
