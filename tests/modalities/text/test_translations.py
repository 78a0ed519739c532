"""Pairs of texts from file to translations: nothing leaks to held-out ones, lines stay in order, figures are right."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sparring
from sparring.api.apply import apply
from sparring.data.reading import reading
from sparring.data.view import View
from sparring.errors import SparringError, SparringWarning
from sparring.flow import Batch
from sparring.modalities import modality_of
from sparring.modalities.text.survey import survey_texts
from sparring.modalities.text.translations import nearest, paired
from sparring.recipes import default_recipe
from sparring.rendering.exhibits import Table
from sparring.runs.display import Silent

NUMBERS = {"one": "一", "two": "二", "three": "三", "four": "四", "five": "五", "six": "六"}
SMALL: dict[str, Any] = {"width": 16, "batch": 16, "dropout": 0.0, "judge": "none", "display": Silent()}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 216 sentences of three numbers, with their translations."""
    path = tmp_path_factory.mktemp("pairs") / "numbers.tsv"
    rows = [(a, b, c) for a in NUMBERS for b in NUMBERS for c in NUMBERS]
    path.write_text("".join(f"{' '.join(row)}.\t{''.join(NUMBERS[one] for one in row)}。\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    return sparring.train(pairs, out=out, samples=5600, learning_rate=0.03, smoothing=0.0, **SMALL).folder


def test_pairs_are_found_and_translated_by_default(pairs: Path) -> None:
    assert modality_of(str(pairs)).name == "text"
    facts = survey_texts(str(pairs), reading(), None).facts
    assert facts.offers == ("source", "prompt") and default_recipe(facts) == "text/translate"
    assert facts.details["tokens of sources"].startswith("words") and facts.details["tokens"].startswith("characters")
    assert "216 pairs of text" in str(sparring.inspect(pairs, measure=False, display=Silent()))


def test_no_side_of_a_held_out_pair_was_trained_on(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"the {a}.\tthe {b}!\n" for a, b in random.integers(0, 40, (60, 2))))
    survey = survey_texts(str(path), reading(columns="column 1=source,column 2=text"), None)
    split = survey.prepare(View(survey.facts.shape, "source"))
    for side in (lambda data: data.samples, lambda data: data.conditions):
        rows = [{row.tobytes() for row in side(data)} for data in (split.train, split.held_out)]
        assert rows[0] and rows[1] and not rows[0] & rows[1]


def test_every_line_is_translated_in_its_place(trained: Path, tmp_path: Path) -> None:
    given = tmp_path / "given" / "in.txt"
    given.parent.mkdir()
    given.write_text("six one two.\n\ntwo two five.\n")
    apply(trained, [str(given), "four one one."], out=tmp_path / "out", display=Silent())
    lines = (tmp_path / "out" / "in.txt").read_text().split("\n")
    assert lines == ["六一二。", "", "二二五。", ""]
    assert (tmp_path / "out" / "text-000000.txt").read_text() == "四一一。\n"
    assert len(sparring.load(trained).apply(given.parent)) == 2
    apply(trained, "six one two.", count=3, temperature=1, out=tmp_path / "three", display=Silent())
    assert len((tmp_path / "three" / "text-000000.txt").read_text().splitlines()) == 3


def test_words_that_are_unknown_are_said_and_files_that_are_missing_refused(trained: Path, tmp_path: Path) -> None:
    model = sparring.load(trained)
    with pytest.warns(SparringWarning, match="1 of 4 words of the sources are not in the vocabulary"):
        assert model.apply("one seven two.").shape == (1, model.facts.shape[0])
    for given, said in (
        ("none.txt", "no file 'none.txt'"),
        (tmp_path, "no text in the folder"),
        (["", " "], "inputs without any text"),
        (3, "an input of type int"),
    ):
        with pytest.raises(SparringError, match=said):
            model.apply(given)
    with pytest.raises(SparringError, match="no input="):
        model.sample(3)


def test_translations_are_judged_against_the_true_ones(trained: Path) -> None:
    found = sparring.evaluate(trained, display=Silent())
    assert found.metrics["exact"].value > 0.5 and found.metrics["corpus_bleu"].value > 0.5
    assert {"this", "nearest training source", "truth"} <= found.baselines.keys()
    assert found.baselines["truth"]["corpus_bleu"] == 1.0 and found.baselines["nearest training source"]["exact"] == 0.0
    assert "answer_diversity" not in found.metrics


def test_pairs_are_shown_side_by_side(pairs: Path) -> None:
    survey = survey_texts(str(pairs), reading(), None)
    batch, kind = survey.whole(View(survey.facts.shape, "source")).batch(slice(0, 2)), modality_of(str(pairs))
    (table,) = kind.show(batch, survey.facts, columns=1)
    assert isinstance(table, Table) and table.rows[1] == ("one one two.", "一一二。")
    (table,) = kind.compare(batch._replace(real=batch.real.flip(0)), batch.real, survey.facts)
    assert table.rows[1] == ("one one two.", "一一一。", "一一二。")


def test_the_nearest_source_gives_its_text_and_is_never_the_same(pairs: Path) -> None:
    survey = survey_texts(str(pairs), reading(), None)
    split = survey.prepare(View(survey.facts.shape, "source"))
    batch = split.train.batch(slice(0, 4))
    (found,) = nearest(batch, split).values()
    differing = (found != batch.real).sum(1)
    assert differing.tolist() == [1, 1, 1, 1] or (differing > 0).all()
    assert paired(batch.real, batch.real) == {"corpus_bleu": 1.0, "exact": 1.0}
    assert nearest(Batch(batch.real), split) == {}


def test_texts_without_sources_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one line\nanother\n" * 40)
    with pytest.raises(SparringError, match="texts without sources"):
        sparring.train(tmp_path / "lines.txt", recipe="text/translate", out=tmp_path / "run", samples=32, **SMALL)


def test_seeds_decide_sampled_translations_alone(trained: Path) -> None:
    model = sparring.load(trained)
    given = ["one two six."] * 30
    greedy = model.apply(given)
    assert len(greedy.unique(dim=0)) == 1 and torch.equal(greedy, model.apply(given, seed=5))
    assert len(model.apply(given, temperature=3).unique(dim=0)) > 3
