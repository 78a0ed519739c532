"""`sparring sample`"""

from pathlib import Path


def sample(
    model: Path,
    /,
    *,
    count: int = 64,
    seed: int = 0,
    label: str | None = None,
    truncation: float = 1.0,
    out: Path = Path("samples"),
    device: str = "cpu",
    recipe: str | None = None,
) -> None:
    """Make samples: one file each in the folder --out, and all of them in one picture beside it.

    Examples:
        sparring sample runs/digits-001 --count 64 --label 3 --out threes/

    Parameters
    ----------
    model
        A run folder, or a folder made by save_pretrained.
    count
        How many.
    seed
        The same seed gives the same pixels.
    label
        A class, by name or number. Default: the classes in turn.
    truncation
        Below 1: more typical and less various.
    out
        The folder for the files; files of the same name are replaced.
    device
        Where to compute.
    recipe
        Only for a model of your own recipe: file.py:Name again.
    """
    from sparring.model import class_by_class, load
    from sparring.storage import write_picture

    loaded = load(model, recipe=recipe)
    samples = loaded.sample(count, condition=label, seed=seed, truncation=truncation, device=device)
    out.mkdir(parents=True, exist_ok=True)
    files = loaded.modality.save(samples, out)
    classes = len(loaded.classes)
    if label is None and 1 < classes <= count:
        picture = loaded.modality.picture(samples[class_by_class(count, classes)], columns=count // classes)
    else:
        picture = loaded.modality.picture(samples, columns=8)
    # Beside the folder, so that the folder holds samples only and can be judged as it is.
    grid = out.resolve().parent / f"{out.resolve().name}-grid.png"
    write_picture(grid, picture)
    print(f"{count} samples in {out} ({len(files)} files), all of them in {grid}")
