"""`sparring doctor`."""

import shutil
from importlib.util import find_spec

from sparring.cli.options import JsonOption
from sparring.text import joined, show
from sparring.text import markdown as markdown_text

EXTRAS = {
    "parquet": "pyarrow",
    "tensorboard": "tensorboard",
    "dinov2": "transformers",
    "export": "onnxruntime",
    "text": "tokenizers",
    "molecules": "rdkit",
}
"""Extra → the package that it installs."""


def doctor(*, markdown: bool = False, json: JsonOption = None) -> None:
    """Report versions, devices and disk space, for troubleshooting and bug reports.

    Parameters
    ----------
    markdown
        Print a Markdown table, to paste into a bug report.
    """
    from sparring.cli.json_output import json_output

    with json_output(json) as answer:
        rows = _rows()
        answer(dict(rows))
        if markdown:
            show("| | |\n|---|---|")
            show("\n".join(f"| {markdown_text(name)} | {markdown_text(value)} |" for name, value in rows))
            return
        width = max(len(name) for name, _ in rows)
        show(joined(f"{name:<{width}}  {value}" for name, value in rows))


def _rows() -> list[tuple[str, str]]:
    """Return (name, value) of every line of the report."""
    import torch

    from sparring.data.cache import cache_folder, cache_size
    from sparring.runs.folder import versions
    from sparring.training.devices import describe

    # Versions, then every device with its memory.
    rows = list(versions().items())
    devices = ["cpu"]
    devices += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    devices += ["mps"] if torch.backends.mps.is_available() else []
    for device in devices:
        machine = describe(torch.device(device))
        label = torch.cuda.get_device_name(device) if machine.device == "cuda" else f"{machine.cores} cores"
        speed = "faster" if machine.bfloat16 else "not faster"
        rows.append((device, f"{label}, {machine.memory / 1024**3:.0f} GiB, bfloat16 is {speed}"))

    # Threads, disk space and optional packages.
    rows.append(("threads", str(torch.get_num_threads())))
    rows.append(("free disk space", f"{shutil.disk_usage('.').free / 1024**3:.0f} GiB"))
    rows.append(("cache", f"{cache_folder()}, {cache_size() / 1024**3:.1f} GiB; can be deleted at any time"))
    for extra, package in EXTRAS.items():
        installed = find_spec(package) is not None
        rows.append((f"extra {extra}", "installed" if installed else f'missing: pip install "sparring[{extra}]"'))
    return rows
