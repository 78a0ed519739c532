"""A function from a file of the user extracts features; what is wrong with it is reported."""

import pickle
import re

import numpy as np
import pytest
import torch

from sparring.errors import SparringError
from sparring.metrics.extractors.extractor import Extractor
from sparring.metrics.extractors.own_function import CHUNK, load_function


@pytest.fixture
def own(tmp_path):
    """Load the function ``features(samples)`` with this body."""

    def make(body, *, name="features", above=""):
        path = tmp_path / "mine.py"
        path.write_text(f"import numpy as np\nimport torch\n{above}\ndef features(samples):\n    {body}\n")
        return load_function(f"{path}:{name}")

    return make


def samples(count=3, shape=(1, 2, 2)):
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    "body",
    [
        "return samples",
        "return samples.flatten(1).double()",
        "return samples.numpy()",
        "return samples.flatten(1).numpy()[:, ::-1][:, ::-1].astype(np.float64)",
        "return samples.flatten(1).tolist()",
        "return torch.nn.Parameter(samples.flatten(1))",
    ],
)
def test_tensors_arrays_and_lists_become_features(own, body):
    extractor, given = own(body), samples()
    features = extractor(given)
    assert isinstance(extractor, Extractor) and not extractor.cacheable
    assert features.dtype == torch.float32 and not features.requires_grad
    assert torch.equal(features, given.flatten(1))


def test_one_number_a_sample_is_one_feature(own):
    given = samples()
    assert torch.equal(own("return samples.mean((1, 2, 3))")(given), given.mean((1, 2, 3))[:, None])


def test_samples_come_in_chunks_and_are_not_changed(own):
    given = samples(CHUNK + 5)
    before = given.clone()
    features = own("return samples.mul_(0).flatten(1) + len(samples)")(given)
    assert features[:, 0].tolist() == [CHUNK] * CHUNK + [5.0] * 5
    assert torch.equal(given, before)


def test_the_name_identifies_function_and_file(own):
    first, other = own("return samples"), own("return samples * 2")
    assert re.fullmatch("features-[0-9a-f]{12}", first.name)
    assert first.name != other.name
    assert own("return samples").name == first.name
    assert torch.equal(other(samples()), 2 * first(samples()).reshape(3, 4))


def test_dataclasses_and_pickle_work_in_the_file(own):
    above = "\nfrom dataclasses import dataclass\n@dataclass\nclass Size:\n    value: 'int' = 2\n"
    extractor = own("return samples.flatten(1) * Size().value", above=above)
    assert torch.equal(extractor(samples()), samples().flatten(1) * 2)
    size = extractor.function.__globals__["Size"]()
    assert pickle.loads(pickle.dumps(size)) == size


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "return samples[1:]",
            r"Found Tensor of shape \(2, 1, 2, 2\) for 3 samples from features-\w+, but expected one row",
        ),
        ("return np.float64(1)", r"float64 of shape \(\) for 3 samples"),
        ("return samples.flatten(1)[:, :0]", r"Tensor of shape \(3, 0\) for 3 samples"),
        ("return None", r"NoneType of shape \(\)"),
        ("return {'a': 1}", "dict from features-"),
        ("return [[1], [1, 2], [3]]", "list from features-"),
        ("return samples.log()", "not finite for . of 3 samples"),
    ],
)
def test_invalid_results_are_refused(own, body, said):
    with pytest.raises(SparringError, match=said):
        own(body)(samples())


def test_rows_of_different_lengths_are_refused(own):
    with pytest.raises(SparringError, match=f"rows of 3 and of {CHUNK} numbers"):
        own("return torch.ones(len(samples), len(samples))")(samples(CHUNK + 3))


def test_exceptions_of_the_function_are_reported_and_chained(own):
    with pytest.raises(SparringError, match=r"KeyError in features-\w+ of 3 samples: 'nothing'") as caught:
        own("return {}['nothing']")(samples())
    assert isinstance(caught.value.__cause__, KeyError)


def test_exceptions_of_the_file_are_reported_and_chained(own):
    with pytest.raises(SparringError, match=r"ZeroDivisionError in .*mine.py: ") as caught:
        own("return samples", above="1 / 0")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(SparringError, match="SyntaxError in "):
        own("return (")


def test_missing_files_and_functions_are_refused(own, tmp_path):
    with pytest.raises(SparringError, match=r"no file '.*missing\.py'"):
        load_function(f"{tmp_path}/missing.py:features")
    with pytest.raises(SparringError, match=r"no 'feature' in .*did you mean 'features'"):
        own("return samples", name="feature")
    with pytest.raises(SparringError, match="int as "):
        own("return samples", name="number", above="number = 3")


def test_numpy_integers_are_features(own):
    assert np.array_equal(own("return np.arange(len(samples), dtype=np.uint16)")(samples())[:, 0], [0, 1, 2])
