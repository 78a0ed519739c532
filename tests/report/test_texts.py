"""Texts in reports: each beside its nearest training text, and with its white space."""

from pathlib import Path

import pytest

from sparring.data.dataset import Split
from sparring.data.reading import reading
from sparring.flow import Batch
from sparring.modalities import modality
from sparring.modalities.text.survey import survey_texts
from sparring.report.gallery import Gallery
from sparring.report.page import Report, page


@pytest.fixture
def code(tmp_path: Path) -> Split:
    for number in range(40):
        path = tmp_path / "code" / f"{'ab'[number % 2]}" / f"{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"def f{number}():\n\treturn '<b>好</b>'\n")
    survey = survey_texts(str(tmp_path / "code"), reading(), None)
    return survey.prepare(modality("text").view_of(survey.facts, survey.facts))


def test_generated_texts_stand_above_their_nearest_training_texts(code: Split) -> None:
    batch = code.train.batch(slice(0, 4))
    samples = Batch(code.held_out.batch(slice(0, 2)).real, None, None)
    (exhibit,) = Gallery(modality("text"), code, samples).generated()
    assert all(note.startswith("nearest, ") and " % in common:\ndef f" in note for note in exhibit.notes)
    (same,) = Gallery(modality("text"), code, batch._replace(label=None)).generated()
    assert all(note == f"nearest, equal:\n{line}" for note, line in zip(same.notes, same.lines, strict=True))
    assert "Below each" in same.caption and same.fixed


def test_white_space_of_code_is_kept_and_nothing_is_markup(code: Split) -> None:
    exhibits = Gallery(modality("text"), code, code.train.batch(slice(0, 2))).generated()
    html = page(Report(title="code", summary=[], exhibits=exhibits))
    assert "():\n    return &#39;&lt;b&gt;好&lt;/b&gt;" in html and "pre-wrap" in html and "\\t" not in html
    assert "<b>" not in html
