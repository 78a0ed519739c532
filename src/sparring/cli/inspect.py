"""`sparring inspect`"""

from pathlib import Path


def inspect(data: str, /, *, json: Path | None = None, sheet: Path | None = None, recipe: str | None = None) -> None:
    """Look at data before training on it: what is there, what is wrong with it, what would be trained and why.

    Examples:
        sparring inspect photos/ --sheet contact.png --json facts.json

    Parameters
    ----------
    data
        A folder of images (sub-folders are classes), a zip of images, IDX, Parquet, .npy, .npz or .csv files, or one
        of the names digits, mnist, fashion-mnist, stacked-mnist, cifar10, ring, grid, lattice.
    json
        Write everything that was found to this file.
    sheet
        Write a contact sheet, a picture of samples, to this file.
    recipe
        Plan for this recipe. Default: what suits the data.
    """
    from sparring.api import inspect as api

    print("\n".join(api.inspect(data, json=json, sheet=sheet, recipe=recipe).lines()))
