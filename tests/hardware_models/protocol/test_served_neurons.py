"""Neurons outside of this process: outputs are those of the box; what goes wrong is one sentence, and nothing stays open."""

from __future__ import annotations

import copy
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import outside_boxes
import pytest

from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import Stateful, changes_with_time, load_nonlinearity
from hardware_models.protocol.server import serve_neurons

KEY = Key(0, "neurons")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes as boxes need POSIX")


def spec(what: str, number: int = 1) -> str:
    """Return the place of a box of the tests."""
    return f"process:{sys.executable} -S {outside_boxes.__file__} {what} {number}"


def sentence(error: BaseException) -> str:
    """Return the message of an error after checks that it is one sentence."""
    text = str(error)
    assert text.endswith(".") and "\n" not in text and len(text) < 500, text
    return text


def test_outputs_are_those_of_the_box_and_the_chip_closes_it() -> None:
    with_box = Chip("ideal", ((4, 3),), nonlinearity=spec("good"), adc=None)
    try:
        here = Chip("ideal", ((4, 3),), nonlinearity="relu", adc=None)
        x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
        for chip in (with_box, here):
            chip.program(0, np.full((4, 3), 0.2), key=KEY)
        relu = here.observe(0, x, key=KEY)[0]
        assert np.allclose(with_box.observe(0, x, key=KEY)[0], relu / (1.0 + 0.1 * np.arange(3)), rtol=1e-6)
        assert with_box.repeatable and with_box.save().keys() == here.save().keys()
        assert with_box.observe(0, x[:0], key=KEY)[0].shape == (0, 3)
    finally:
        with_box.close()
    with pytest.raises(RunError, match="has been closed"):
        with_box.observe(0, x, key=KEY)


@pytest.mark.parametrize("what", sorted(outside_boxes.WRONG))
def test_what_goes_wrong_later_stops_the_run_in_one_sentence(what: str) -> None:
    """The first two answers are right, the third is not; the line then stays closed and says the same again."""
    box = load_nonlinearity(spec(what, 3), within=1.0 if what == "late" else 20.0).fabricate(3, KEY)
    for _ in range(2):
        with pytest.raises(RunError) as caught:
            box(np.ones((2, 3), np.float32))
        assert outside_boxes.WRONG[what] in sentence(caught.value)
        if what == "refuses":  # an error that the box tells is an answer: the line goes on
            break
    box.close()


@pytest.mark.parametrize("what", ["garbage", "exits", "shape"])
def test_what_goes_wrong_at_first_is_a_wrong_option(what: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_nonlinearity(spec(what), within=20.0).fabricate(3, KEY)
    assert outside_boxes.WRONG[what] in sentence(caught.value)


@pytest.mark.parametrize("table", ["0,1e300\n1,2e300\n", "", "title\n"])
def test_recorded_values_that_are_none(table: str, tmp_path: Path) -> None:
    (tmp_path / "box.csv").write_text(table)
    with pytest.raises(UsageError, match="should hold"):
        load_nonlinearity(f"lookup:{tmp_path / 'box.csv'}")


def test_neurons_from_outside_are_not_blended() -> None:
    with pytest.raises(UsageError, match="give --box-strength 1"):
        load_nonlinearity(spec("remembers"), 0.5)


def test_neurons_that_remember_are_saved_and_the_oracle_leaves_them_alone() -> None:
    box = load_nonlinearity(spec("remembers")).fabricate(3, KEY)
    assert isinstance(box, Stateful)
    z = np.full((2, 3), 1.5, np.float32)
    try:
        box(z)
        state = box.save()
        looked = copy.deepcopy(box)
        first = looked(z)
        assert not np.array_equal(first, looked(z))
        assert np.array_equal(box(z), first)
        box.restore(state)
        assert np.array_equal(box(z), first)
    finally:
        box.close()  # type: ignore[attr-defined]


def test_noisy_neurons_are_declared_and_undeclared_ones_are_refused(tmp_path: Path) -> None:
    chip = Chip("ideal", ((4, 3),), nonlinearity=spec("noisy"))
    assert not chip.repeatable
    chip.close()
    text = Path(outside_boxes.__file__).read_text().replace('"repeatable": what != "noisy"', '"repeatable": True')
    (tmp_path / "lying.py").write_text(text)
    with pytest.raises(UsageError, match="two results for one z"):
        load_nonlinearity(f"process:{sys.executable} -S {tmp_path}/lying.py noisy").fabricate(3, KEY)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("process:", "needs a command"),
        ("process:'", "holds no command"),
        ("process:/no/such/program", "cannot be started"),
        ("tcp://example.org:80", "on this machine alone"),
        ("tcp://127.0.0.1:0", "on this machine alone"),
        ("tcp://127.0.0.1:1", "start its server first"),
    ],
)
def test_places_that_are_none(place: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        load_nonlinearity(place, within=2.0).fabricate(3, KEY)
    sentence(caught.value)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Counting:
    """A state of a served box."""

    def __init__(self) -> None:
        self.calls = np.zeros(1)

    def save(self) -> dict[str, np.ndarray]:
        return {"calls": self.calls.copy()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.calls[:] = state["calls"]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve neurons of Python at a socket: y = (layer + 1) relu(z) + calls / 1000, with the calls as their state."""
    state, at = Counting(), f"tcp://127.0.0.1:{free_port()}"
    ready, stopping = threading.Event(), threading.Event()
    create = socket.create_server

    class Server:
        """A listening socket that ends its server when it is told."""

        def __init__(self, address: tuple[str, int]) -> None:
            self.made = create(address)
            ready.set()

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *what: object) -> None:
            self.made.close()

        def accept(self) -> tuple[socket.socket, object]:
            made = self.made.accept()
            if stopping.is_set():
                made[0].close()
                raise KeyboardInterrupt
            return made

    monkeypatch.setattr("hardware_models.protocol.server.socket.create_server", Server)

    def neurons(z: np.ndarray, layer: int) -> np.ndarray:
        state.calls += 1
        if (z > 100).any():
            raise ValueError("the lamp is too bright")
        return (layer + 1) * np.maximum(z, 0) + state.calls[0] / 1000

    thread = threading.Thread(target=serve_neurons, args=(neurons,), kwargs={"state": state, "at": at})
    thread.start()
    ready.wait(10)
    yield at
    stopping.set()
    socket.create_connection(("127.0.0.1", int(at.rpartition(":")[2]))).close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_python_function_at_a_socket_serves_one_caller_after_the_other(place: str) -> None:
    z = np.array([[1.0, -1.0, 2.0]], np.float32)
    for _ in range(2):
        kind = load_nonlinearity(place)
        first, second = kind.fabricate(3, KEY), kind.fabricate(3, KEY)
        before = first.save()  # type: ignore[attr-defined]
        calls = before["calls"][0]
        assert np.allclose(first(z), np.maximum(z, 0) + (calls + 1) / 1000)
        assert np.allclose(second(z), 2 * np.maximum(z, 0) + (calls + 2) / 1000)
        first.restore(before)  # type: ignore[attr-defined]
        assert np.allclose(first(z), np.maximum(z, 0) + (calls + 1) / 1000)
        with pytest.raises(RunError, match="with an error: the lamp is too bright"):
            first(z + 1000)
        first(z)  # and goes on answering
        first.close()  # type: ignore[attr-defined]


def test_the_clock_of_a_box_is_its_own() -> None:
    assert not changes_with_time(spec("good")) and changes_with_time("drifting") and not changes_with_time("relu")


def test_recorded_neurons(tmp_path: Path) -> None:
    """Straight lines between the points, constant beyond them, a column a neuron, from both kinds of files."""
    (tmp_path / "one.csv").write_text("z,y\n-1,0\n0,0\n2,4\n")
    np.savez(tmp_path / "three.npz", z=[0.0, 1.0], y=[[0.0, 0.0, 1.0], [1.0, 2.0, 1.0]])
    z = np.array([[-5.0, 0.5, 9.0]], np.float32)
    one = load_nonlinearity(f"lookup:{tmp_path}/one.csv").fabricate(3, KEY)
    assert one(z).tolist() == [[0.0, 1.0, 4.0]] and one(z).dtype == np.float32
    three = load_nonlinearity(f"lookup:{tmp_path}/three.npz")
    assert three.fabricate(3, KEY)(z).tolist() == [[0.0, 1.0, 1.0]]
    assert three.fabricate(2, KEY)(z[:, :2]).tolist() == [[0.0, 1.0]]
    with pytest.raises(UsageError, match="holds the y of 3 neurons, a layer has 4"):
        three.fabricate(4, KEY)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("falls.csv", "1,2\n0,3\n", "z that rise"),
        ("short.csv", "0,1\n", "at least two z"),
        ("words.csv", "z,y\n0,one\n", "cannot be read as recorded neurons"),
        ("nan.csv", "0,nan\n1,2\n", "finite numbers"),
        ("lonely.csv", "0\n1\n", "at least two z"),
        ("none.csv", None, "does not exist"),
    ],
)
def test_recordings_that_are_none(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        load_nonlinearity(f"lookup:{tmp_path}/{name}")
    sentence(caught.value)
