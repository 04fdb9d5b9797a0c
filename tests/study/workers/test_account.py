"""What the driver knows of a run over several attempts; the same with real processes is in faults/test_pool.py."""

from hyperbudget.study.workers.account import Account
from hyperbudget.study.workers.job import Evaluation


def at(step):
    return Evaluation(step, 1.0, 0.5, 0.1)


def test_time_without_progress():
    account = Account()
    account.begin(None)
    assert account.still(100.0) == 0  # it waits for its resources
    account.beat(("loading", 0), 100.0)
    account.beat(("loading", 0), 105.0)
    assert account.still(107.0) == 7
    account.beat(("training", 0), 108.0)
    assert account.still(109.0) == 1
    account.excuse(50.0)
    assert account.still(160.0) == 2
    account.begin(170.0)  # on a worker that is there already, and may hang before its first word
    assert account.still(175.0) == 5


def test_a_question_stops_the_clock_until_its_answer():
    account = Account()
    account.begin(0.0)
    assert account.told(at(10), True, 1.0) == (True, None)
    assert account.still(1000.0) == 0
    assert account.answer(go_on=True, now=1000.0) == 10
    assert account.still(1003.0) == 3
    assert account.answer(go_on=False, now=1004.0) is None


def test_another_attempt_repeats_nothing():
    account = Account()
    for step in (10, 20):
        assert account.told(at(step), True, 0.0) == (True, None)
        account.answer(go_on=True, now=0.0)
    assert account.told(at(30), True, 0.0) == (True, None)
    account.begin(0.0)
    assert account.told(at(10), False, 0.0) == (False, None)
    assert account.told(at(20), True, 0.0) == (False, True)
    assert account.told(at(30), True, 0.0) == (False, None)  # it waits for the answer that is on its way
    assert account.answer(go_on=False, now=0.0) == 30
    account.begin(0.0)
    assert account.told(at(20), True, 0.0) == (False, True)
    assert account.told(at(30), True, 0.0) == (False, False)


def test_an_answer_that_comes_between_two_attempts_is_kept():
    account = Account()
    account.told(at(10), True, 0.0)
    account.begin(0.0)
    assert account.answer(go_on=False, now=0.0) == 10
    assert account.told(at(10), True, 0.0) == (False, False)
