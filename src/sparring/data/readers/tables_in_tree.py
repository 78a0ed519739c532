"""Tables of labels that lie among the files of a data set: StyleGAN's dataset.json, Hugging Face's metadata."""

from sparring.data.labels import NotClasses
from sparring.data.readers.files import Tree
from sparring.data.readers.label_files import MAX_LABEL_FILE_BYTES, LabelTable, parse_labels, unusable
from sparring.text import printable

TABLE_NAMES = ("dataset.json", "metadata.jsonl", "metadata.csv")
"""Names of such tables, in any folder; of several in one folder the first that holds labels is used."""


def tables_in(tree: Tree) -> tuple[dict[str, LabelTable | None], tuple[str, ...]]:
    """Read the tables of labels in a tree.

    Returns:
        Folder, "" or ending with "/" → its table, None for a dataset.json without labels; and full sentences about
        tables that cannot be used.

    Raises:
        SparringError: a table is damaged or malformed.
    """
    found: dict[str, LabelTable | None] = {}
    remarks: list[str] = []
    for name in TABLE_NAMES:
        for position, entry in enumerate(tree.entries):
            folder, last = entry.name[: len(entry.name) - len(name)], entry.name.rpartition("/")[2]
            if last != name or found.get(folder) is not None:
                continue
            shown = printable(entry.name)
            try:
                if entry.size > MAX_LABEL_FILE_BYTES:
                    raise NotClasses("more than 256 MiB")
                table = parse_labels(_content(tree, position), shown)
            except NotClasses as error:
                remarks.append(f"Labels in {shown} are not used: it holds {error}.")
                continue
            if table is not None or name == "dataset.json":
                found[folder] = table
            else:
                remarks.append(f"No column of {shown} is called 'label', so it gives no classes.")
    return found, tuple(remarks)


def _content(tree: Tree, position: int) -> bytes:
    entry = tree.entries[position]
    try:
        return tree.content(position, entry.size)
    except Exception as error:
        # Members of damaged archives fail in many ways; in all of them the labels are lost.
        raise unusable(printable(entry.name), f"no readable content ({error})", "a table of labels") from None
