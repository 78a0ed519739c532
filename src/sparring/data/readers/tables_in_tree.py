"""Tables of labels that lie among the files of a data set: StyleGAN's dataset.json, Hugging Face's metadata."""

from collections import Counter
from collections.abc import Sequence

from sparring.data.labels import NotClasses
from sparring.data.readers.files import Tree, suffix
from sparring.data.readers.label_files import MAX_LABEL_FILE_BYTES, LabelTable, class_columns, parse_labels, unusable
from sparring.errors import SparringError
from sparring.text import command, printable

TABLE_NAMES = ("dataset.json", "metadata.jsonl", "metadata.csv")
"""Names of such tables, in any folder; of several in one folder the first that holds labels is used."""

ENDINGS = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson"})
"""Endings of other tables that may list files."""
MAX_CANDIDATES = 5
"""Files of one ending that may be tables; more of them describe single files, as x.json does beside x.png."""
MAX_OFFERED_BYTES = 16 * 1024 * 1024
"""Size up to which such a table is read."""
MAX_OFFERED_TABLES, MAX_OFFERED_COLUMNS = 3, 5
"""Tables, and columns of each, that a person is told of."""


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


def unused_tables(
    tree: Tree, others: Sequence[str], names: Sequence[str], *, in_archive: bool = False
) -> dict[str, str]:
    """Return the tables that could give classes to the files of a tree, each with a sentence about the option for it.

    Args:
        tree: the files.
        others: names of those among which tables are looked for.
        names: of the files that a table has to list.
        in_archive: whether the option finds a table only once the tree is unpacked.
    """
    found: dict[str, str] = {}
    tables = {name for name in others if suffix(name) in ENDINGS}
    alike = Counter(map(suffix, tables))
    for position, entry in enumerate(tree.entries):
        if entry.name not in tables or alike[suffix(entry.name)] > MAX_CANDIDATES or entry.size > MAX_OFFERED_BYTES:
            continue
        try:
            columns = class_columns(_content(tree, position), entry.name, names)
        except SparringError:
            continue  # It is of no use, and was not asked for.
        if columns:
            options = " or ".join(command("--labels", f"{entry.name}:{one}") for one in columns[:MAX_OFFERED_COLUMNS])
            found[entry.name] = (
                f"{printable(entry.name)} lists these files and is not used: "
                f"{'once the archive is unpacked, ' if in_archive else ''}{options} (labels= in Python) trains with "
                f"{'the classes in that column' if len(columns) == 1 else 'the classes in one of these columns'}."
            )
        if len(found) == MAX_OFFERED_TABLES:
            break
    return found


def _content(tree: Tree, position: int) -> bytes:
    entry = tree.entries[position]
    try:
        return tree.content(position, entry.size)
    except Exception as error:
        # Members of damaged archives fail in many ways; in all of them the labels are lost.
        raise unusable(printable(entry.name), f"no readable content ({error})", "a table of labels") from None
