"""Classes of texts: how well a classifier of real ones recognises what was asked for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from sparring.data.dataset import Split
from sparring.data.reading import reading
from sparring.metrics.sample_sets import Repeat, SampleSet, Subset, in_memory
from sparring.modalities import modality
from sparring.modalities.text.classes import by_class, class_metrics, classifier
from sparring.modalities.text.survey import survey_texts


@pytest.fixture
def mails(tmp_path: Path) -> Split:
    """Return texts whose classes differ in their letters, or only in their length."""
    random = np.random.default_rng(0)
    kinds = {"ham": ("abc", 6), "spam": ("cde", 6), "short": ("abc", 3)}
    rows = [
        f"{''.join(random.choice([*kinds[kind][0]], kinds[kind][1]))}{number},{kind}\n"
        for number in range(150)
        for kind in kinds
    ]
    (tmp_path / "mails.csv").write_text(f"text,kind\n{''.join(rows)}")
    survey = survey_texts(str(tmp_path / "mails.csv"), reading(labels="kind"), None)
    return survey.prepare(modality("text").view_of(survey.facts, survey.facts))


def test_agreement_is_that_of_the_classes_asked_for(mails: Split) -> None:
    predict, batch = classifier(mails, 0), mails.held_out.batch(slice(None))
    assert batch.label is not None
    right = class_metrics(batch, predict, mails)
    wrong = class_metrics(batch._replace(label=(batch.label + 1) % 3), predict, mails)
    assert right["agreement"] > 0.9 and wrong["agreement"] < 0.1 and right["classes"] == 3
    assert class_metrics(batch._replace(label=None), predict, mails).keys() == {"classes"}


def test_every_class_has_a_row(mails: Split) -> None:
    names = mails.facts.classes
    spam, data = names.index("spam"), mails.train.batch(slice(0, 60))
    fake = Subset(SampleSet(in_memory(data._replace(label=torch.full((60,), spam)))), torch.arange(60))
    real = Subset(SampleSet(mails.train), torch.arange(60))
    rows = by_class(Repeat(real, fake, real, real, 0), mails, 0)
    assert tuple(rows) == names and rows["spam"].keys() == {"share", "real_share", "agreement"}
    assert (
        rows["spam"]["agreement"]
        == pytest.approx(rows["spam"]["share"])
        == pytest.approx(rows["spam"]["real_share"], abs=0.1)
    )
    assert "agreement" not in rows["ham"]
