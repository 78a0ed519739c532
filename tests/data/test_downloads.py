import hashlib
import http.server
import re
import threading

import pytest

from sparring.data import downloads
from sparring.data.catalogue import DATASETS, Publication, PublishedFile
from sparring.data.downloads import download, local_copy
from sparring.errors import SparringError

BODY = b"as it was published" * 1000


@pytest.fixture(autouse=True)
def isolated_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SPARRING_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def home():
    """A server on this machine that gives BODY for /data.bin and counts its requests."""

    class Handler(http.server.BaseHTTPRequestHandler):
        requests = 0

        def do_GET(self):
            Handler.requests += 1
            if self.path != "/data.bin":
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", Handler
    server.shutdown()
    thread.join()
    server.server_close()


def published(home, **change):
    file = {"name": "data.bin", "size": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest(), **change}
    return Publication(home=home, files=(PublishedFile(**file),), classes=(), terms="")


def test_a_download_is_verified_and_kept(home, tmp_path):
    folder = download("some", published(home[0]))
    assert (folder / "data.bin").read_bytes() == BODY
    assert local_copy("some") == folder
    assert [path.name for path in folder.iterdir()] == ["data.bin"]


def test_complete_files_are_not_fetched_again(home, tmp_path):
    incoming = tmp_path / "cache" / "downloads" / "some.incoming"
    incoming.mkdir(parents=True)
    (incoming / "data.bin").write_bytes(BODY)
    download("some", published(home[0]))
    assert home[1].requests == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 64}, "its SHA-256 differs"),
        ({"size": 100}, "longer than the 100 bytes that were published"),
        ({"name": "other.bin"}, "Not Found"),
    ],
)
def test_a_file_that_differs_is_refused(home, tmp_path, change, reason):
    with pytest.raises(SparringError, match=f"Found no copy of some here, and it could not be downloaded .*{reason}"):
        download("some", published(home[0], **change))
    assert local_copy("some") is None
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_without_network_the_error_says_where_to_put_the_files():
    nobody = "http://127.0.0.1:9/"
    with pytest.raises(
        SparringError,
        match=re.escape(
            f"data.bin in ./data/some or $SPARRING_DATA/some. Put them there from {nobody}, or start with digits"
        ),
    ):
        download("some", published(nobody))


def test_only_https_is_allowed():
    with pytest.raises(SparringError, match="is not https"):
        download("some", published("http://example.invalid/"))


def test_a_silent_server_times_out(monkeypatch):
    import socket

    monkeypatch.setattr(downloads, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SparringError, match="timed out"):
        download("some", published(f"http://127.0.0.1:{silent.getsockname()[1]}/"))


def test_local_copies_are_preferred(tmp_path, monkeypatch):
    assert local_copy("mnist") is None
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    assert local_copy("mnist") is None
    (tmp_path / "data" / "mnist" / "file").touch()
    assert local_copy("mnist").resolve() == tmp_path / "data" / "mnist"
    (tmp_path / "mine" / "mnist").mkdir(parents=True)
    (tmp_path / "mine" / "mnist" / "file").touch()
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path / "mine"))
    assert local_copy("mnist") == tmp_path / "mine" / "mnist"


def test_every_published_file_is_pinned():
    for entry in DATASETS.values():
        assert entry.home.startswith("https://") and entry.home.endswith("/")
        assert len(entry.classes) == 10 and entry.terms
        for file in entry.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256) and 0 < file.size < 2**30
