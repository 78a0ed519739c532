"""Points: mixtures, tables, normalisation, mode coverage and files."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from sparring.data.dataset import Dataset, Split
from sparring.data.facts import Facts
from sparring.data.view import View
from sparring.errors import SparringError
from sparring.modalities.points import data, metrics, render
from sparring.modalities.points.networks.dense import Discriminator, Generator
from sparring.modalities.points.normalizer import ColumnNormalizer

PLAIN = Facts("made up", "points", 3, (2,), "")


class TestData:
    @pytest.mark.parametrize(("name", "modes", "sigma"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
    def test_mixtures_cover_their_modes(self, name, modes, sigma):
        survey = data.survey(name)
        facts = survey.facts
        assert (facts.modality, facts.shape, facts.count, facts.classes) == ("points", (2,), 50_000, ())
        assert len(facts.details["modes"]) == modes and facts.details["sigma"] == sigma
        assert facts.coding["scale"] == pytest.approx(survey.points.std(), rel=1e-3)
        found = metrics.mode_coverage(torch.from_numpy(survey.points), torch.tensor(facts.details["modes"]), sigma)
        assert found["modes"] == modes
        assert found["quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
        assert found["reverse_kl"] < 0.001

    def test_mixture_and_split_are_reproducible(self):
        first, again = data.survey("ring"), data.survey("ring")
        assert first.facts == again.facts and np.array_equal(first.points, again.points)
        splits = [first.prepare(View((2,)), seed=seed) for seed in (0, 0, 1)]
        assert np.array_equal(splits[0].train.samples, splits[1].train.samples)
        assert not np.array_equal(splits[0].train.samples, splits[2].train.samples)
        assert len(splits[0].train) == 47_500 and len(splits[0].held_out) == 2_500
        assert splits[0].train.labels is None

    def test_prepared_points_are_not_normalised(self):
        split = data.survey("grid").prepare(View((2,)))
        assert split.train.batch(slice(0, 1000)).real.abs().max() > 3.9

    @pytest.mark.parametrize("suffix", [".npy", ".csv"])
    @pytest.mark.parametrize("size", [1, 2, 5])
    def test_tables_of_any_size(self, tmp_path, suffix, size):
        points = np.random.default_rng(0).standard_normal((50, size)).astype(np.float32)
        render.save(torch.from_numpy(points), tmp_path, PLAIN)
        survey = data.survey(str(tmp_path / f"points-000000{suffix}"))
        np.testing.assert_array_equal(survey.points, points)
        assert survey.facts.shape == (size,)
        assert survey.facts.fingerprint == data.survey(str(tmp_path / "points-000000.npy")).facts.fingerprint

    def test_header_is_skipped_and_rows_that_are_not_finite_too(self, tmp_path):
        (tmp_path / "a.csv").write_text("\ufeffx,y\n1,2\nnan,3\n4,5\n6,inf\n", encoding="utf-8")
        survey = data.survey(str(tmp_path / "a.csv"))
        assert survey.points.tolist() == [[1, 2], [4, 5]]
        assert survey.facts.remarks == ("Skipped 2 of 4 rows, which hold values that are not finite.",)

    def test_columns_are_normalised_whatever_their_units(self, tmp_path):
        """Years, volumes and a constant column all come near one."""
        random = np.random.default_rng(0).standard_normal((500, 3))
        table = (random * [5.0, 1e7, 0.0] + [2000.0, 0.0, 7.0]).astype(np.float32)
        np.save(tmp_path / "a.npy", table)
        facts = data.survey(str(tmp_path / "a.npy")).facts
        normalizer = ColumnNormalizer(Facts.from_json(json.loads(json.dumps(facts.as_json()))))
        points = torch.from_numpy(table)
        normalised = normalizer.normalize(points)
        torch.testing.assert_close(normalised.mean(0), torch.zeros(3), atol=1e-3, rtol=0)
        torch.testing.assert_close(normalised.std(0), torch.tensor([1.0, 1.0, 0.0]), atol=2e-3, rtol=0)
        torch.testing.assert_close(normalizer.denormalize(normalised), points, rtol=1e-5, atol=1.0)
        assert facts.coding["scale"][2] == 1.0

    def test_mixtures_are_scaled_alike_in_both_coordinates(self):
        """One scale for both coordinates, around zero."""
        normalizer = ColumnNormalizer(data.survey("grid").facts)
        points = torch.tensor([[4.0, -2.0]])
        assert (
            normalizer.normalize(points)[0, 0] == -2 * normalizer.normalize(points)[0, 1]
            and normalizer.scale.dim() == 0
        )

    def test_claims_of_names_and_suffixes(self):
        assert all(data.claims(source) for source in ("ring", "grid", "a.npy", "b/c.CSV"))
        assert not any(data.claims(source) for source in ("digits", "folder", "a.png"))

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "an unreadable file"),
            (b"1,2\n3\n", "1 with 1 values in place of 2"),
            (b"x,y\n", "it has no rows"),
            (b"nan,nan\n", "no row of finite numbers"),
            (b"\xff\xfe\x00", "an unreadable file"),
            (b"a,b\nx,y\n1,2\n", "1 with text in place of a number .first in line 2"),
        ],
    )
    def test_broken_tables_are_refused(self, tmp_path, content, said):
        (tmp_path / "a.csv").write_bytes(content)
        with pytest.raises(SparringError, match=said):
            data.survey(str(tmp_path / "a.csv"))

    @pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 2, 2)), np.zeros((3, 0)), np.array(["a"])])
    def test_arrays_of_another_shape_are_refused(self, tmp_path, array):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(SparringError, match=r"a table of numbers|arrays of numbers"):
            data.survey(str(tmp_path / "a.npy"))

    @pytest.mark.parametrize(
        ("content", "columns", "count", "said"),
        [
            ("height,weight\n1.5,2\n2,3\n3,4\n", ["height", "weight"], 3, ""),
            ("0,1\n0.5,0.1\n0.7,0.2\n0.9,0.4\n", ["0", "1"], 3, "Took the first row, '0,1', for names of columns"),
            ("2020,2021\n5,7\n6,9\n7,8\n", ["2020", "2021"], 3, "Took the first row, '2020,2021', for names"),
            ("0,1\n5,2\n3,1\n0,4\n", [], 4, "Read the first row, '0,1', as a point"),
            ("0,1\n5.0,2.0\n", ["0", "1"], 1, "Took the first row, '0,1', for names"),
            ("NA,2\n3,4\nn/a,6\n7,8\n5,5\n", [], 3, "2 with a missing value (first in line 1)"),
            ("a,2\n3,4\n5,6\n", ["a", "2"], 2, "although it has numbers"),
            ("# x, y\n3,4\n5,6\n", ["x", "y"], 2, "Took the comment above the first row, 'x,y'"),
            ("# measured\nx,y\n3,4\n5,6\n", ["x", "y"], 2, "Left out the comments above the table"),
            ("x;y\n1,000;2\n2,5;3\n", ["x", "y"], 2, "Read the comma in 1,000 as a decimal comma"),
            ('"a,b";c\n1,5;2\n2,5;3\n', ["a,b", "c"], 2, ""),
            ("Unnamed: 0,x\n1,1.5\n1,2.5\n", ["column 1", "x"], 2, ""),
            (",x,y\n0,1.5,2\n1,2.5,3\n2,0.5,1\n", ["x", "y"], 3, "an index without a name"),
            (",0,1\n0,1.5,2\n1,2.5,3\n2,0.5,1\n", ["0", "1"], 3, "an index without a name"),
            ("x;y\n1,5;2\n2,5;3\n", ["x", "y"], 2, ""),
            ("1,5;2,25\n2,5;3\n", [], 2, ""),
            ("0,5;1\n2,5;3\n", [], 2, ""),
            ("sep=;\nx;y\n1,5;2\n2,5;3\n", ["x", "y"], 2, ""),
            ("sep=;\n1,5;2\n2,5;3\n", [], 2, ""),
            ("id,x\n9007199254740993,2\n9007199254740995,3\n", ["id", "x"], 2, "leave out id if it holds identifiers"),
            ("x,y\n1e40,2\n1e20,3\n3e20,4\n", ["x", "y"], 2, "Skipped 1 of 3"),
            ("x\ty\n1.5\t2\n2.5\t3\n", ["x", "y"], 2, ""),
            ("1,2\n3,\n# 5,6\n4,8\n2,10\n11,12\n", [], 4, "1 with an empty cell (first in line 2)"),
            ("1,2\n3,\n# 5,6\n4,8\n2,10\n11,12\n", [], 4, "1 with text in place of a number (first in line 3)"),
            (",2\n3,4\n5,6\n7,8\n", [], 3, "1 with an empty cell (first in line 1)"),
            ('"a","b"\n"1","2"\n"3","4"\n', ["a", "b"], 2, ""),
        ],
    )
    def test_headings_indices_and_rows_that_are_left_out_are_told(self, tmp_path, content, columns, count, said):
        (tmp_path / "a.csv").write_text(content)
        facts = data.survey(str(tmp_path / "a.csv")).facts
        assert (facts.coding.get("columns", []), facts.count, facts.shape) == (columns, count, (2,))
        assert said in " ".join(facts.remarks) and bool(said) == bool(facts.remarks)

    def test_headings_are_written_with_samples_and_read_again(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n5,6\n")
        survey = data.survey(str(tmp_path / "a.csv"))
        _, table = render.save(torch.from_numpy(survey.points), tmp_path / "new", survey.facts)
        assert table.read_text() == "x,y\n1.0,2.0\n3.0,4.0\n5.0,6.0\n"
        assert data.survey(str(table)).facts.fingerprint == survey.facts.fingerprint

    def test_time_stamps_keep_their_seconds(self, tmp_path):
        stamps = 1_700_000_000 + np.arange(500) * 7
        np.savetxt(tmp_path / "a.csv", np.stack([stamps, np.arange(500) / 7], axis=1), fmt="%.12g", delimiter=",")
        survey = data.survey(str(tmp_path / "a.csv"))
        assert len(np.unique(survey.points[:, 0])) == 500 and survey.facts.coding["origin"][1] == 0
        points = torch.from_numpy(survey.points)
        np.testing.assert_allclose(render.decoded(points, survey.facts)[:, 0], stamps, rtol=0, atol=0.01)
        again = data.read(str(render.save(points, tmp_path / "new", survey.facts)[1]), View((2,)), survey.facts)
        np.testing.assert_allclose(again.samples, survey.points, rtol=1e-6)

    def test_saved_samples_read_back_whatever_their_columns_are_called(self, tmp_path):
        random = np.random.default_rng(0)
        for number, names in enumerate(
            [("0", "1"), ("", "a"), ("Unnamed: 0", "b"), ("5", "x\ny"), ("a", "a"), ("NA", "é")]
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            with (folder / "a.csv").open("w", newline="") as file:
                csv.writer(file).writerows([names, *random.normal(size=(20, 2)).round(3).tolist()])
            facts = data.survey(str(folder / "a.csv")).facts
            for whole in (torch.arange(1, 13.0).reshape(6, 2), torch.tensor([[1.0, 2.0]]), torch.randn(5, 2) * 1e-6):
                _, table = render.save(whole, folder / "new", facts)
                again = data.survey(str(table), facts)
                assert torch.equal(torch.from_numpy(again.points), whole), names
                assert again.facts.coding.get("columns") == facts.coding.get("columns")

    def test_columns_in_another_order_are_matched_by_name(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,20\n3,40\n5,60\n")
        (tmp_path / "b.csv").write_text("y,x\n20,1\n40,3\n60,5\n")
        (tmp_path / "c.csv").write_text("y,z\n20,1\n40,3\n60,5\n")
        facts = data.survey(str(tmp_path / "a.csv")).facts
        assert data.survey(str(tmp_path / "b.csv"), facts).points.tolist() == [[1, 20], [3, 40], [5, 60]]
        assert "'y' is compared with 'x'" in data.survey(str(tmp_path / "c.csv"), facts).facts.remarks[-1]

    def test_complex_numbers_are_refused(self, tmp_path):
        np.save(tmp_path / "a.npy", np.ones((5, 2), dtype=np.complex64))
        with pytest.raises(SparringError, match="numbers"):
            data.survey(str(tmp_path / "a.npy"))

    @pytest.mark.parametrize("content", ["1,2\n" * 8_000_001, "1," * 2**22])
    def test_tables_beyond_the_size_are_refused_before_they_take_memory(self, tmp_path, content):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(SparringError, match=r"at most 16,000,000|characters|points"):
            data.survey(str(tmp_path / "a.csv"))

    @pytest.mark.parametrize(
        "coding", [{"columns": 5}, {"origin": "x"}, {"scale": [1.0]}, {"center": [1, 2, 3]}, {"scale": 0}, {"other": 1}]
    )
    def test_a_coding_of_another_form_is_refused(self, tmp_path, coding):
        facts = replace(PLAIN, coding=coding)
        for use in (ColumnNormalizer, lambda facts: render.save(torch.ones(3, 2), tmp_path / "new", facts)):
            with pytest.raises(SparringError, match="in the coding of"):
                use(facts)

    def test_text_of_another_encoding_is_read(self, tmp_path):
        (tmp_path / "a.csv").write_bytes("größe,y\n1,2\n3,4\n".encode("latin-1"))
        found = data.survey(str(tmp_path / "a.csv")).facts
        assert found.coding["columns"] == ["größe", "y"] and "not UTF-8" in found.remarks[0]
        for encoding in ("utf-16", "utf-32"):
            (tmp_path / "b.csv").write_bytes("größe,y\n1,2\n3,4\n".encode(encoding))
            assert data.survey(str(tmp_path / "b.csv")).facts.coding["columns"] == ["größe", "y"]

    def test_tables_that_announce_too_much_are_refused(self, tmp_path):
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 2), }".ljust(117) + "\n"
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header.encode())
        with pytest.raises(SparringError, match=r"2,199,023,255,552 numbers"):
            data.survey(str(tmp_path / "a.npy"))

    def test_nothing_is_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        with pytest.raises(SparringError, match="Python objects"):
            data.survey(str(tmp_path / "a.npy"))

    def test_missing_files_unknown_names_and_other_shapes_are_refused(self, tmp_path):
        with pytest.raises(SparringError, match="no file"):
            data.survey(str(tmp_path / "none.npy"))
        with pytest.raises(SparringError, match="did you mean 'ring'"):
            data.survey("rings")
        with pytest.raises(SparringError, match=r"points of shape \(2,\)"):
            data.survey("ring").prepare(View((3,)))
        np.save(tmp_path / "one.npy", np.zeros((1, 2)))
        with pytest.raises(SparringError, match="one point"):
            data.survey(str(tmp_path / "one.npy")).prepare(View((2,)))


class TestMetrics:
    modes = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])

    def test_coverage_of_known_shares(self):
        # Three of four modes, in shares 2 : 1 : 1, and one sample in four far from all of them.
        samples = self.modes[[0, 0, 1, 2]].repeat(3, 1)
        samples = torch.cat([samples, torch.full((4, 2), 5.0)])
        found = metrics.mode_coverage(samples, self.modes, sigma=0.5)
        expected = sum(share * math.log(share * 4) for share in (0.5, 0.25, 0.25))
        assert found["modes"] == 3 and found["quality"] == 0.75
        assert found["reverse_kl"] == pytest.approx(expected)

    def test_samples_count_within_three_sigma(self):
        samples = torch.tensor([[1.49, 0.0], [1.51, 0.0]])
        assert metrics.mode_coverage(samples, self.modes, sigma=0.5)["quality"] == 0.5

    def test_collapse_to_one_mode(self):
        found = metrics.mode_coverage(self.modes[:1].repeat(100, 1), self.modes, sigma=0.5)
        assert found == {"modes": 1.0, "quality": 1.0, "reverse_kl": pytest.approx(math.log(4))}

    def test_no_high_quality_and_no_finite_samples(self):
        assert metrics.mode_coverage(torch.full((5, 2), 4.0), self.modes, 0.5) == {"modes": 0.0, "quality": 0.0}
        assert metrics.mode_coverage(torch.full((5, 2), math.nan), self.modes, 0.5) == {"modes": 0.0, "quality": 0.0}

    def test_coverage_needs_known_modes(self, tmp_path):
        split = data.survey("ring").prepare(View((2,)))
        samples = split.held_out.batch(slice(None)).real
        assert metrics.measures(samples, split)["modes"] == 8
        np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((50, 2)))
        assert metrics.measures(samples, data.survey(str(tmp_path / "a.npy")).prepare(View((2,)))) == {}

    def test_extractor_normalises_coordinates(self):
        empty = Dataset(np.zeros((1, 2), dtype=np.float32))
        facts = data.survey("ring").facts
        (extractor,) = metrics.extractors(Split(empty, empty, facts), 0).values()
        assert extractor.name == "coordinates"
        assert torch.equal(extractor(self.modes), self.modes / torch.tensor(facts.coding["scale"]))


class TestRender:
    def test_files_are_numbered(self, tmp_path):
        paths = render.save(torch.ones(3, 2), tmp_path / "new", PLAIN, first=64)
        assert [path.name for path in paths] == ["points-000064.npy", "points-000064.csv"]
        assert np.load(paths[0]).tolist() == np.loadtxt(paths[1], delimiter=",").tolist() == [[1, 1]] * 3


def test_weights_keep_the_names_under_which_models_are_stored():
    """Model files and checkpoints store weights by attribute name: a renamed layer could not be loaded."""
    names = [{key.split(".")[0] for key in network.state_dict()} for network in (Generator(places=3), Discriminator())]
    assert names == [{"places", "layers", "shortcut"}, {"waves", "layers"}]


def test_a_folder_of_saved_samples_is_read_in_the_order_of_the_columns(tmp_path):
    (tmp_path / "real.csv").write_text("x,y\n1.5,2.5\n3.5,4.5\n")
    (tmp_path / "other.csv").write_text("y,x\n2.5,1.5\n4.5,3.5\n")
    known, other = data.survey(str(tmp_path / "real.csv")).facts, data.survey(str(tmp_path / "other.csv"))
    for first in (0, 2):
        render.save(torch.from_numpy(other.points), tmp_path / "made", other.facts, first=first)
    found = data.survey(str(tmp_path / "made"), known)
    assert np.array_equal(found.points, [[1.5, 2.5], [3.5, 4.5]] * 2) and not found.facts.remarks
    for file in (tmp_path / "made").glob("*.csv"):
        file.unlink()
    assert np.array_equal(data.survey(str(tmp_path / "made")).points, [[2.5, 1.5], [4.5, 3.5]] * 2)


def test_folders_without_tables_or_of_several_are_refused(tmp_path):
    with pytest.raises(SparringError, match="no table in the folder"):
        data.survey(str(tmp_path))
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x,z\n1,2\n")
    with pytest.raises(SparringError, match=r"other columns in b\.csv than in a\.csv, in the folder"):
        data.survey(str(tmp_path))
