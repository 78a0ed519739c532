"""`sparring doctor`"""

import shutil
from importlib.util import find_spec

EXTRAS = {"parquet": "pyarrow", "tensorboard": "tensorboard"}


def doctor(*, markdown: bool = False) -> None:
    """Say what is installed, which devices there are and what they are good at.

    Parameters
    ----------
    markdown
        A table to paste into a bug report.
    """
    rows = _findings()
    if markdown:
        print("| | |\n|---|---|")
        print("\n".join(f"| {name} | {value} |" for name, value in rows))
        return
    widest = max(len(name) for name, _ in rows)
    print("\n".join(f"{name:<{widest}}  {value}" for name, value in rows))


def _findings() -> list[tuple[str, str]]:
    import torch

    from sparring.data.cache import cache_folder, cache_size
    from sparring.runs.folder import versions
    from sparring.training.devices import describe

    rows = list(versions().items())
    places = ["cpu"]
    places += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    places += ["mps"] if torch.backends.mps.is_available() else []
    for place in places:
        machine = describe(torch.device(place))
        label = torch.cuda.get_device_name(place) if machine.device == "cuda" else f"{machine.cores} cores"
        faster = "faster" if machine.bfloat16 else "not faster"
        rows.append((place, f"{label}, {machine.memory / 1024**3:.0f} GiB, bfloat16 {faster}"))
    rows.append(("threads", str(torch.get_num_threads())))
    rows.append(("free disk here", f"{shutil.disk_usage('.').free / 1024**3:.0f} GiB"))
    rows.append(("cache", f"{cache_folder()}, {cache_size() / 1024**3:.1f} GiB; may be deleted"))
    for extra, package in EXTRAS.items():
        there = find_spec(package) is not None
        rows.append((f"extra {extra}", "installed" if there else f'missing: pip install "sparring[{extra}]"'))
    return rows
