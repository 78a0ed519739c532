"""Tables of tests: written, surveyed, and turned into text again."""

import csv
from pathlib import Path

import torch

from sparring.data.reading import Reading
from sparring.modalities.tables import data, render
from sparring.modalities.tables.coding import Rows


def write(path, rows, **form):
    with Path(path).open("w", newline="", encoding=form.pop("encoding", "utf-8")) as file:
        csv.writer(file, **form).writerows(rows)
    return str(path)


def survey(tmp_path, content, columns=None, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return data.survey(str(path), Reading(columns=columns))


def kinds(found):
    return {column["name"]: column["kind"] for column in found.facts.details["columns"]}


def reason(found, name):
    return next(column["reason"] for column in found.facts.details["columns"] if column["name"] == name)


def said(found):
    return " ".join(found.facts.remarks)


def rows_of(found):
    return Rows(torch.from_numpy(found.rows.values), torch.from_numpy(found.rows.missing))


def cells_of(found):
    return render.decoded(rows_of(found), found.facts).rows
