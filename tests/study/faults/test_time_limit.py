"""``resources.time_limit`` through the engine, with the real worker: what fails at it goes on under a higher one."""

import pytest

from hyperbudget.study.status import status
from hyperbudget.study.workers.execute import execute
from tests.study.support import FREE, numbers, recorded, results, statuses

OVERRIDES = ("search.seeds=1", "training.steps=60", "training.evaluate_every=20")


@pytest.fixture
def trained(bench):
    def make(*overrides):
        made = bench(FREE, *OVERRIDES, *overrides)
        made.pool.execute = execute
        return made

    return make


def test_what_failed_at_the_limit_goes_on_under_a_higher_one(trained):
    undisturbed = trained()
    undisturbed.run()
    limited = trained("resources.time_limit=0.001")
    outcome = limited.run()
    assert {reason for _, reason in outcome.failures} == {
        "time limit: 0.001 s are over at step 20 of 60; raise resources.time_limit to go on"
    }
    assert statuses(recorded(limited.tracking, limited.study.name)[1]) == {"FAILED": 2}
    assert (status(limited.folder).failed, status(limited.folder).open) == (2, 0)
    stopped = results(limited.folder)

    assert len(limited.run().failures) == 2  # under the same limit nothing changes
    assert results(limited.folder) == stopped

    raised = limited.study.resources.model_copy(update={"time_limit": 3600.0})
    limited.study = limited.study.__class__(
        **{name: getattr(limited.study, name) for name in limited.study.__dataclass_fields__} | {"resources": raised}
    )
    outcome = limited.run()
    assert (outcome.finished, outcome.failures) == (2, [])
    after = results(limited.folder)
    expected = results(undisturbed.folder)
    assert {name: numbers(result) for name, result in after.items()} == {
        name: numbers(result) for name, result in expected.items()
    }
    for name, result in after.items():  # from the checkpoint of the first time
        assert result["curve"]["seconds"][0] == stopped[name]["curve"]["seconds"][0]
    assert statuses(recorded(limited.tracking, limited.study.name)[1]) == {"FINISHED": 2}
    now = status(limited.folder)
    assert (now.finished, now.failed, now.open) == (2, 0, 0)
