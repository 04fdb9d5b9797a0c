"""Windows of a text. The ids are the positions in the text, so that each window says where it was taken from."""

from __future__ import annotations

import functools
import itertools
import random

import pytest
import torch

from hyperbudget.data.bits import total_bits
from hyperbudget.data.tasks import TextTask
from hyperbudget.data.text import TextData
from hyperbudget.data.text_batches import TextStreams, evaluation_batches
from hyperbudget.errors import UserError
from hyperbudget.train.streams import stream

SIZES = [(7, 1, 3), (10, 3, 2), (41, 4, 5), (100, 1, 1), (100, 7, 3), (101, 7, 3), (257, 5, 10)]
"""Symbols, streams, length of a window."""


def text(size: int) -> TextData:
    positions, empty = torch.arange(size), torch.empty(0)
    return TextData(TextTask("made up"), "digest", b"", positions, empty, empty)


def streams(size: int, batch_size: int, length: int, seed: int = 0) -> TextStreams:
    return TextStreams(text(size), batch_size, length, functools.partial(stream, seed, "offset"))


@pytest.mark.parametrize(("size", "batch_size", "length"), SIZES)
def test_an_epoch_reads_contiguous_streams_of_equal_length(size: int, batch_size: int, length: int) -> None:
    cut = streams(size, batch_size, length)
    for epoch in range(20):
        first = epoch * cut.steps_per_epoch
        windows = [cut.window(first + step) for step in range(cut.steps_per_epoch)]
        assert all(window.inputs.shape == window.targets.shape == (length, batch_size) for window in windows)
        assert all(torch.equal(window.targets, window.inputs + 1) for window in windows)
        assert all(window.scored is None for window in windows)
        assert [window.fresh for window in windows] == [True] + [False] * (len(windows) - 1)
        read = torch.cat([window.inputs for window in windows]).T.flatten()  # stream after stream
        start = cut.offset(epoch)
        assert read.tolist() == list(range(start, start + len(read)))
        assert size - 1 - len(read) < (batch_size + 1) * length
        assert start + len(read) <= size - 1


def test_epochs_begin_at_any_symbol_of_a_window() -> None:
    cut = streams(257, 5, 10)
    offsets = [cut.offset(epoch) for epoch in range(400)]
    assert {offset % 10 for offset in offsets} == set(range(10))
    assert (min(offsets), max(offsets)) == (0, 257 - 1 - 5 * 10 * cut.steps_per_epoch)


def test_a_text_that_just_fits_still_begins_at_every_symbol_of_a_window() -> None:
    cut = streams(3 * 4 + 4, 3, 4)
    assert cut.steps_per_epoch == 1
    assert {cut.offset(epoch) for epoch in range(50)} == set(range(4))


def test_a_window_depends_on_seed_and_step_alone() -> None:
    cut = streams(257, 5, 10, seed=3)
    expected = [cut.window(step) for step in range(30)]
    for step in (29, 0, 6, 17):
        window = streams(257, 5, 10, seed=3).window(step)
        assert torch.equal(window.inputs, expected[step].inputs)
        assert torch.equal(window.targets, expected[step].targets)
        assert window.fresh == expected[step].fresh
    other = streams(257, 5, 10, seed=4)
    assert any(other.offset(epoch) != cut.offset(epoch) for epoch in range(5))


@pytest.mark.parametrize(("size", "batch_size", "length"), [(15, 3, 4), (4, 1, 4), (1, 1, 1), (0, 1, 1)])
def test_a_text_that_is_too_short_is_refused(size: int, batch_size: int, length: int) -> None:
    with pytest.raises(UserError) as caught:
        streams(size, batch_size, length)
    assert str(caught.value) == (
        f"made up: the training text has {size} symbols, but batch_size {batch_size} x length {length} needs "
        f"{batch_size * length + length}; make one of them smaller, or take a longer text"
    )
    assert streams(batch_size * length + length, batch_size, length).steps_per_epoch == 1


def test_sizes_must_be_positive() -> None:
    for batch_size, length, name in ((0, 1, "batch_size"), (1, 0, "length")):
        with pytest.raises(ValueError, match=f"{name}: 0 is below 1"):
            streams(100, batch_size, length)
    for rows, length, name in ((-1, 1, "rows"), (1, 0, "length")):
        with pytest.raises(ValueError, match=f"{name}: .* is below 1"):
            evaluation_batches(torch.arange(9), rows, length)


def test_windows_are_made_where_the_text_is() -> None:
    """A meta tensor has no values: whatever asked the device for one would raise."""
    cut = TextStreams(text(100).to("meta"), 3, 5, functools.partial(stream, 0, "offset"))
    assert cut.window(4).inputs.device.type == "meta"
    for window in evaluation_batches(torch.arange(100, device="meta"), 3, 7):
        assert window.scored is not None
        assert window.targets.device.type == window.scored.device.type == "meta"


@pytest.mark.gpu
def test_windows_on_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    expected = streams(257, 5, 10)
    cut = TextStreams(text(257).to("cuda"), 5, 10, functools.partial(stream, 0, "offset"))
    for step in range(12):
        assert torch.equal(cut.window(step).targets.cpu(), expected.window(step).targets)


def awkward_sizes() -> list[tuple[int, int, int]]:
    small = itertools.product(range(2, 16), range(1, 7), range(1, 6))
    draw = random.Random(0)
    return [*small, *((draw.randint(2, 3_000), draw.randint(1, 50), draw.randint(1, 200)) for _ in range(60))]


def test_every_symbol_but_the_first_is_scored_once_for_any_sizes() -> None:
    for size, rows, length in awkward_sizes():
        case = f"size {size}, rows {rows}, length {length}"
        windows = list(evaluation_batches(torch.arange(size), rows, length))
        assert [window.fresh for window in windows] == [True] + [False] * (len(windows) - 1), case
        assert len({window.inputs.shape for window in windows}) == 1, case
        inputs, targets = (torch.cat([window[column] for window in windows]).T for column in (0, 1))
        scored = torch.cat([window.scored for window in windows if window.scored is not None]).T
        # Row after row: the order of the text, none left out, none twice.
        assert targets[scored].tolist() == list(range(1, size)), case
        assert torch.equal(inputs[scored], targets[scored] - 1), case
        # Only the ends of rows pad, so no state has seen padding when a target counts.
        assert bool((scored[:, 1:] <= scored[:, :-1]).all()), case
        assert windows[0].inputs.shape[0] <= length, case


@pytest.mark.parametrize("size", [0, 1])
def test_a_text_with_nothing_to_predict_is_refused(size: int) -> None:
    with pytest.raises(UserError, match=f"text: {size} symbols leave none to predict; take a longer one"):
        evaluation_batches(torch.arange(size), 1, 10)


def test_one_row_carries_the_state_through_the_whole_text() -> None:
    """The same bits as one pass over the text, whatever the length of the windows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        cell, head = torch.nn.LSTM(5, 8), torch.nn.Linear(8, 5)
        ids = torch.randint(5, (203,), dtype=torch.uint8)
    eye = torch.eye(5)
    with torch.no_grad():
        outputs, _ = cell(eye[ids[:-1].long()][:, None])
        expected = total_bits(head(outputs), ids[1:, None].long())
        for length in (1, 10, 101, 202, 500):
            bits, state = torch.zeros((), dtype=torch.float64), None
            for window in evaluation_batches(ids, 1, length):
                outputs, state = cell(eye[window.inputs], state)
                bits += total_bits(head(outputs), window.targets, window.scored)
            torch.testing.assert_close(bits, expected, rtol=1e-6, atol=0)
