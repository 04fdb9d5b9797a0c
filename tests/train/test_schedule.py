"""Schedules against their formulas."""

import math

import pytest

from hyperbudget.train.schedule import learning_rate
from hyperbudget.train.spec import TrainingSpec


def spec(**fields):
    return TrainingSpec(**{"steps": 100, "learning_rate": 0.4, **fields})


def test_constant():
    assert {learning_rate(spec(schedule="constant"), step) for step in range(100)} == {0.4}


def test_cosine():
    rates = [learning_rate(spec(schedule="cosine"), step) for step in range(100)]
    assert rates == pytest.approx([0.2 * (1 + math.cos(math.pi * step / 100)) for step in range(100)])
    assert rates[0] == 0.4
    assert rates[50] == pytest.approx(0.2)


def test_exponential_is_the_papers_mnist_schedule():
    """The author's: 0.005 x 0.999^step, not below 0.0001."""
    paper = spec(steps=5000, learning_rate=0.005, schedule="exponential", decay=0.999, final_learning_rate=1e-4)
    assert learning_rate(paper, 1000) == pytest.approx(0.005 * 0.999**1000)
    assert learning_rate(paper, 4999) == 1e-4


def test_step():
    stepped = spec(schedule="step", decay=0.2, milestones=(0.3, 0.6))
    assert learning_rate(stepped, 29) == 0.4
    assert learning_rate(stepped, 30) == pytest.approx(0.08)
    assert learning_rate(stepped, 60) == pytest.approx(0.016)


def test_paper_is_table_7_for_sgd_and_table_8_for_adam():
    sgd = TrainingSpec(optimizer="sgd", schedule="paper", learning_rate=0.1, steps=140_000)
    table_7 = {0: 0.1, 27_999: 0.1, 28_000: 0.02, 56_000: 0.004, 84_000: 0.0008, 112_000: 0.00016, 139_999: 0.00016}
    assert {step: learning_rate(sgd, step) for step in table_7} == pytest.approx(table_7)
    adam = TrainingSpec(optimizer="adam", schedule="paper", learning_rate=0.002, steps=672_000)
    table_8 = {0: 0.002, 167_999: 0.002, 168_000: 0.001, 336_000: 0.0002, 504_000: 0.00005, 671_999: 0.00005}
    assert {step: learning_rate(adam, step) for step in table_8} == pytest.approx(table_8)


def test_paper_stretches_over_any_number_of_steps():
    short = TrainingSpec(optimizer="adam", schedule="paper", learning_rate=1.0, steps=10)
    assert [learning_rate(short, step) for step in range(10)] == [1, 1, 1, 0.5, 0.5, 0.1, 0.1, 0.1, 0.025, 0.025]


def test_warmup_rises_to_the_full_rate_and_the_schedule_spans_the_rest():
    warm = spec(schedule="cosine", warmup=10)
    assert [learning_rate(warm, step) for step in (0, 4, 9)] == pytest.approx([0.04, 0.2, 0.4])
    assert learning_rate(warm, 10) == 0.4
    assert learning_rate(warm, 55) == pytest.approx(0.2)
