import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sparring.data import array_file, cache
from sparring.data.array_file import ArrayFile
from sparring.errors import SparringError


@pytest.fixture(autouse=True)
def cache_here(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))


def chunks():
    for start in range(0, 10, 4):
        rows = np.arange(start, min(start + 4, 10), dtype=np.uint8)
        yield np.broadcast_to(rows[:, None, None], (len(rows), 3, 5))


def never():
    raise AssertionError("it was built again")


def test_an_array_is_built_once_and_stays_in_its_file():
    built = cache.cached_array("key", (10, 3, 5), chunks)
    assert np.array(built)[:, 0, 0].tolist() == list(range(10))
    again = cache.cached_array("key", (10, 3, 5), never)
    assert isinstance(again, ArrayFile)
    assert np.array_equal(built, again)


def test_cache_size_is_the_size_of_its_files(tmp_path):
    assert cache.cache_size() == 0
    cache.cached_array("key", (10, 3, 5), chunks)
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert cache.cache_size() == sum(len(path.read_bytes()) for path in files) > 150


def test_another_key_or_shape_gives_another_array():
    cache.cached_array("key", (10, 3, 5), chunks)
    with pytest.raises(AssertionError, match="built again"):
        cache.cached_array("other key", (10, 3, 5), never)
    with pytest.raises(AssertionError, match="built again"):
        cache.cached_array("key", (10, 5, 3), never)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.bool_])
def test_an_array_keeps_its_type(kind):
    content = (np.arange(12).reshape(4, 3) % 2).astype(kind)
    built = cache.cached_array("key", (4, 3), lambda: [content[:1], content[1:]], kind)
    assert built.dtype == kind and isinstance(built, ArrayFile) and np.array_equal(built, content)
    with pytest.raises(AssertionError, match="built again"):
        cache.cached_array("key", (4, 3), never)


def test_entries_of_another_format_are_not_read(monkeypatch):
    cache.cached_array("key", (10, 3, 5), chunks)
    cache.write_cached("surveys", "key", {"count": 3})
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    assert cache.read_cached("surveys", "key") is None
    with pytest.raises(AssertionError, match="built again"):
        cache.cached_array("key", (10, 3, 5), never)


@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "no manifest", "bad manifest", "no array"])
def test_a_damaged_array_is_rebuilt(tmp_path, damage):
    cache.cached_array("key", (10, 3, 5), chunks)
    (path,) = (tmp_path / "cache").rglob("array.npy")
    content = bytearray(path.read_bytes())
    match damage:
        case "flip":
            content[-7] ^= 1
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[:-1])
        case "grow":
            path.write_bytes(content + b"x")
        case "no manifest":
            (path.parent / "manifest.json").unlink()
        case "bad manifest":
            (path.parent / "manifest.json").write_text("{")
        case "no array":
            path.unlink()
    again = cache.cached_array("key", (10, 3, 5), chunks)
    assert np.array(again)[:, 2, 4].tolist() == list(range(10))
    cache.cached_array("key", (10, 3, 5), never)


def damaged(how, path):
    content = bytearray(path.read_bytes())
    if how == "flipped":
        content[-7] ^= 1
    path.write_bytes(content[:200] if how == "shortened" else content)


@pytest.mark.parametrize("how", ["flipped", "shortened"])
@pytest.mark.parametrize("opened", ["before", "after"])
def test_damage_to_a_large_array_is_told_when_it_is_read_and_mended_at_the_next_start(
    how, opened, tmp_path, monkeypatch
):
    """It is not verified as a whole, and no damaged value is ever used: not even in a file that is open already."""
    monkeypatch.setattr(cache, "VERIFIED_BYTES", 0)
    monkeypatch.setattr(array_file, "BLOCK_BYTES", 64)
    monkeypatch.setattr(cache, "BLOCK_BYTES", 64)
    array = cache.cached_array("key", (10, 3, 5), chunks)
    (path,) = (tmp_path / "cache").rglob("array.npy")
    damaged(how, path)
    if opened == "after" and how == "flipped":
        array = cache.cached_array("key", (10, 3, 5), never)
    assert array[[0]].shape == (1, 3, 5)
    with pytest.raises(SparringError, match=r"damaged or missing samples .* Repeat the command"):
        array[[0, 9]]
    assert np.array(cache.cached_array("key", (10, 3, 5), chunks))[:, 2, 4].tolist() == list(range(10))


@pytest.mark.parametrize(
    "rows",
    [slice(2, 5), slice(None, None, 3), slice(-4, None), [3, 1, 1, -1], np.arange(10) % 2 == 0, 7, -1, [], slice(5, 2)],
    ids=str,
)
def test_rows_of_an_array_in_a_file_are_those_of_the_array(rows):
    whole = np.concatenate(list(chunks()))
    array = cache.cached_array("key", (10, 3, 5), chunks)
    assert np.array_equal(np.array(array[rows]), whole[np.array(rows, int) if isinstance(rows, list) else rows])
    assert np.array_equal(np.array(array[3:][1:4]), whole[4:7]) and array[3:].shape == (7, 3, 5)
    with pytest.raises(IndexError):
        array[[10]]


RACE = """
import sys, time
from pathlib import Path
import numpy as np
from sparring.data import cache

here, other = Path(sys.argv[1]), Path(sys.argv[2])

def chunks():
    here.touch()
    while not other.exists():
        time.sleep(0.01)
    yield np.full((50, 8), 7, dtype=np.uint8)

array = cache.cached_array("raced for", (50, 8), chunks)
assert (np.asarray(array) == 7).all()
print("good")
"""


def test_two_processes_can_build_one_array_at_once(tmp_path):
    marks = [str(tmp_path / "first"), str(tmp_path / "second")]
    runs = [
        subprocess.Popen([sys.executable, "-c", RACE, *order], stdout=subprocess.PIPE, text=True)
        for order in (marks, marks[::-1])
    ]
    assert [run.communicate(timeout=60)[0].strip() for run in runs] == ["good", "good"]
    assert len(list((tmp_path / "cache" / "arrays").iterdir())) == 1


def test_temporaries_of_an_ended_process_are_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    leftover = tmp_path / "cache" / "arrays" / f".abc.{ended.pid}.tmp"
    leftover.mkdir(parents=True)
    cache.cached_array("key", (10, 3, 5), chunks)
    assert not leftover.exists()


def test_an_unwritable_cache_is_reported_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "file"))
    with pytest.raises(SparringError, match=r"cannot be used .* expected one that can be written. Set SPARRING_CACHE"):
        cache.cached_array("key", (10, 3, 5), chunks)
    cache.write_cached("surveys", "key", {})
    assert cache.read_cached("surveys", "key") is None


def test_too_little_disk_space_is_reported_in_one_sentence():
    with pytest.raises(SparringError, match=r"[kMGT]B free at .* expected room for 16,888 TB of decoded samples"):
        cache.cached_array("key", (2**50, 3, 5), chunks)


def test_building_needs_the_memory_of_one_chunk(tmp_path):
    code = (
        "import resource, sys, numpy as np\nfrom pathlib import Path\nfrom sparring.data import cache\n"
        "one = np.zeros((1, 2**20), np.uint8)\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "cache._write(Path(sys.argv[1]), 'key', (300, 2**20), (one for _ in range(300)), np.dtype(np.uint8))\n"
        "print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150


def test_json_entries_are_stored_and_verified(tmp_path):
    cache.write_cached("surveys", "key", {"count": 3, "names": ["ä"]})
    assert cache.read_cached("surveys", "key") == {"count": 3, "names": ["ä"]}
    assert cache.read_cached("surveys", "other") is None
    (path,) = (tmp_path / "cache" / "surveys").iterdir()
    entry = json.loads(path.read_text())
    entry["content"]["count"] = 4
    path.write_text(json.dumps(entry))
    assert cache.read_cached("surveys", "key") is None


def test_an_entry_under_the_name_of_another_is_not_read(tmp_path):
    cache.write_cached("surveys", "key", {"count": 3})
    cache.write_cached("surveys", "other", {"count": 4})
    first, second = (tmp_path / "cache" / "surveys").iterdir()
    first.write_bytes(second.read_bytes())
    assert sorted(str(cache.read_cached("surveys", key)) for key in ("key", "other"))[0] == "None"


def test_the_cache_folder_follows_the_platform(monkeypatch):
    monkeypatch.delenv("SPARRING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.cache_folder() == Path("/somewhere/sparring")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.cache_folder() == Path.home() / "Library" / "Caches" / "sparring"
    assert os.environ.get("SPARRING_CACHE") is None
