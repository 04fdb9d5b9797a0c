"""The pool with real processes that die, hang, wait and complain; Ray is started once for all of them."""

import os
import signal
import time

import psutil
import pytest
import ray

from hyperbudget.errors import UserError
from hyperbudget.study.workers.cluster import connect
from hyperbudget.study.workers.events import Done, Evaluated, Retried
from hyperbudget.study.workers.pool import ATTEMPTS, Pool
from tests.study.faults.actors import Player, Stillborn, job

STALL = 2.0


@pytest.fixture(scope="module")
def started():
    """Ray with 6 CPUs, and a GPU that nothing here uses."""
    assert not ray.is_initialized()
    os.environ["RAY_OVERRIDE_RESOURCES"] = '{"GPU": 1}'
    try:
        connect("local", 3.0, 0.0, 2)
        yield
    finally:
        del os.environ["RAY_OVERRIDE_RESOURCES"]
        ray.shutdown()


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def pool(started, said):
    """Two workers, for all tests: making processes is what takes time."""
    pool = Pool(cpus=1, gpus=0, workers=2, address="local", worker=Player, stall=STALL, say=said.append)
    yield pool
    pool.close()


def play(pool, *jobs, answer=lambda run, step: True, until=None):
    """All events of `jobs`; what asks is answered at once, unless `answer` gives None."""
    for one in jobs:
        pool.submit(one)
    events = []
    deadline = time.monotonic() + 200
    while pool.pending and not (until and until(events)):
        assert time.monotonic() < deadline, events
        for event in pool.wait(0.5):
            events.append(event)
            if isinstance(event, Evaluated) and event.asks:
                go_on = answer(event.job.run, event.evaluation.step)
                if go_on is not None:
                    pool.answer(event.job.run, go_on=go_on)
    return events


def steps(events, run):
    return [event.evaluation.step for event in events if isinstance(event, Evaluated) and event.job.run == run]


def at_its_first(events):
    return steps(events, "a") == [1]


def faults(events):
    return [event.fault for event in events if isinstance(event, Retried)]


def results(events):
    return {event.job.run: event.result for event in events if isinstance(event, Done)}


def board_pid():
    """Ray names a process by what its actor is at."""
    (board,) = [child for child in psutil.Process().children(recursive=True) if child.name().startswith("ray::Board")]
    return board.pid


def test_nobody_else_on_the_network_can_speak_to_it(pool, tmp_path):
    play(pool, job(tmp_path, "a", "1"))  # so that all of its processes are there
    ours = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = {
        (process.name(), socket.laddr.ip.removeprefix("::ffff:"))
        for process in ours for socket in process.net_connections("tcp") if socket.status == "LISTEN"
    }  # fmt: skip
    assert {"raylet", "gcs_server"} <= {name for name, _ in listening}
    assert {address for _, address in listening} == {"127.0.0.1"}


def test_evaluations_come_in_order_and_an_answer_stops_a_run(pool, tmp_path):
    jobs = [job(tmp_path, "a", "1", "2", "3", asks=True), job(tmp_path, "b", "1", "2", "3", asks=True)]
    events = play(pool, *jobs, answer=lambda run, step: (run, step) != ("b", 2))
    assert (steps(events, "a"), steps(events, "b")) == ([1, 2, 3], [1, 2])
    assert {run: result["stopped"] for run, result in results(events).items()} == {"a": None, "b": 2}


def test_the_board_dies_while_a_run_waits_for_its_answer(pool, tmp_path):
    events = play(pool, job(tmp_path, "a", "1", "2", "3", asks=True), answer=lambda run, step: None, until=at_its_first)
    os.kill(board_pid(), signal.SIGKILL)
    time.sleep(0.5)
    pool.answer("a", go_on=True)  # to a board that is not there
    events += play(pool)
    assert steps(events, "a") == [1, 2, 3]
    assert not faults(events)
    assert results(events)["a"]["stopped"] is None


def test_the_second_attempt_of_a_run_is_not_heard_again_and_gets_the_same_answers(pool, tmp_path):
    script = ("1", "2", "die", "again", "1", "2", "3", "4")
    asked = []
    events = play(pool, job(tmp_path, "a", *script, asks=True), answer=lambda *what: asked.append(what) or True)
    assert steps(events, "a") == [1, 2, 3, 4]
    assert asked == [("a", 1), ("a", 2), ("a", 3), ("a", 4)]
    assert faults(events) == ["the worker died (ActorDiedError)"]


def test_a_run_that_dies_each_time_is_given_up(pool, tmp_path):
    (done,) = [event for event in play(pool, job(tmp_path, "a", "1", "die")) if isinstance(event, Done)]
    assert (done.result, done.fault) == (None, f"the worker died (ActorDiedError), {ATTEMPTS} times")


@pytest.mark.parametrize("word", ["hang", "freeze"])
def test_a_run_that_stands_still_is_ended_and_tried_again(pool, tmp_path, word):
    events = play(pool, job(tmp_path, "a", "1", word, "again", "2"))
    assert faults(events) == ["no progress for 2 s"]
    assert results(events)["a"]["stopped"] is None


def test_a_run_that_waits_for_its_answer_does_not_stand_still(pool, tmp_path):
    play(pool, job(tmp_path, "a", "1", "2", asks=True), answer=lambda *_: None, until=at_its_first)
    began = time.monotonic()
    while time.monotonic() - began < 2 * STALL:
        assert not list(pool.wait(0.5))
    pool.answer("a", go_on=True)
    assert not faults(play(pool))


def test_a_driver_that_was_away_does_not_take_it_for_standing_still(pool, tmp_path, monkeypatch):
    monkeypatch.setattr("hyperbudget.study.workers.pool.ABSENCE", 2.5)
    play(pool, job(tmp_path, "a", "1", "pause", "2", "pause", "3", "pause", "4"), until=at_its_first)
    time.sleep(2 * STALL)
    assert not faults(play(pool))


def test_a_full_disk_is_the_machines_fault_and_what_a_worker_says_is_passed_on(pool, said, tmp_path):
    events = play(pool, job(tmp_path, "a", "say", "full", "again", "say", "pause"))
    assert faults(events) == ["OSError: [Errno 28] No space left on device"]
    assert results(events)["a"]["stopped"] is None
    assert said[-1] == "run a: so and so"


def test_what_finds_no_room_on_a_shared_gpu_gets_a_whole_one_at_the_end(started, tmp_path):
    pool = Pool(cpus=1, gpus=0.5, workers=2, address="local", worker=Player)
    jobs = [job(tmp_path, "a", "crowded"), job(tmp_path, "b", "pause"), job(tmp_path, "c", "pause")]
    events = play(pool, *jobs)
    (fault,) = faults(events)
    assert "a whole one at the end" in fault
    assert "3 GiB wanted" in fault
    assert [event.job.run for event in events if isinstance(event, Done)][-1] == "a"
    assert len({result["pid"] for result in results(events).values()}) == 3
    pool.close()


def test_workers_that_cannot_be_made_end_the_study(started, tmp_path):
    pool = Pool(cpus=1, gpus=0, workers=1, address="local", worker=Stillborn)
    with pytest.raises(UserError, match=r"workers die before they begin: .*no module named hyperbudget; is the same"):
        play(pool, job(tmp_path, "a"), job(tmp_path, "b"))
    pool.close()
