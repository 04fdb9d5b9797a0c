"""What MLflow hears of runs: while they train, at their end, after deaths and outages; each thing once."""

import threading

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from hyperbudget.data.load import digest
from hyperbudget.errors import UserError
from hyperbudget.study.folder import write_json
from hyperbudget.study.results.collect import _rows
from hyperbudget.study.search.plan import grid_candidates
from hyperbudget.study.tracking.bands import band, band_of
from hyperbudget.study.tracking.record import Record
from hyperbudget.study.tracking.tracker import Tracker
from hyperbudget.study.tracking.writer import PATIENCE
from hyperbudget.study.workers.job import Evaluation, Job
from tests.study.support import FREE, cut_short, made_up, recorded, results, statuses

DOWN = MlflowException("API request to http://h failed with exception: refused")


class Told:
    """A study of one configuration, told to MLflow by hand."""

    def __init__(self, bench):
        self.bench = bench(FREE, "model.width.grid=[4]")
        self.bench.folder.runs.mkdir(parents=True)
        self.bench.folder.study.write_text(self.bench.study.resolved_yaml())
        self.chosen = grid_candidates(self.bench.study)[0][0]
        self.specs = self.chosen.runs([0, 1])
        self.again()

    def again(self):
        """A new driver."""
        self.record = Record(Tracker(self.bench.tracking, self.bench.study, self.bench.folder), self.bench.folder, 20)

    @property
    def client(self):
        return self.record.tracker.client

    def name(self, seed):
        return f"run{seed}"

    def begin(self, seed=0):
        self.record.run_begun(self.name(seed), self.specs[seed], self.chosen, 0)

    def result(self, seed=0, reason=None):
        job = Job(f"{seed}abc", self.specs[seed].fields(), "", self.bench.folder.run(self.name(seed)).path, "", 1)
        return made_up(job, reason)

    def end(self, seed=0, result=None):
        self.record.run_ended(self.name(seed), result or self.result(seed))

    def close_configuration(self, *given):
        self.record.configuration_ended(self.chosen.name, given)

    def recorded(self):
        self.record._writer.flush()
        return recorded(self.bench.tracking, self.bench.study.name)

    def child(self):
        (child,) = self.recorded()[1]
        return child

    def history(self, name):
        points = self.client.get_metric_history(self.child().info.run_id, name)
        return sorted((point.step, point.value, point.timestamp) for point in points)


@pytest.fixture
def told(bench):
    told = Told(bench)
    yield told
    told.record.close(limit=5)


def live(told, *steps):
    """The evaluations that `made_up` has in its curve, as they are made."""
    curve = told.result()["curve"]
    for index, step in enumerate(curve["step"]):
        if step in steps:
            told.record.evaluated(told.name(0), Evaluation(**{name: curve[name][index] for name in FIELDS}))


FIELDS = ("step", "train_loss", "validation_error", "seconds")


class TestCurves:
    def test_evaluations_are_there_while_the_run_trains_and_not_told_again(self, told):
        told.begin()
        live(told, 30)
        child = told.child()
        assert child.info.status == "RUNNING"
        assert child.data.metrics["curve.train_loss"] == 2.0
        assert told.history("curve.seconds") == [(30, 0.75, child.info.start_time + 750)]
        live(told, 60)
        told.end()
        for name in FIELDS[1:]:
            points = told.history(f"curve.{name}")
            assert [(step, stamp) for step, _, stamp in points] == [
                (30, child.info.start_time + 750), (60, child.info.start_time + 1500),
            ]  # fmt: skip
            assert [value for _, value, _ in points] == told.result()["curve"][name]

    def test_what_it_used_of_the_machine(self, told):
        told.begin()
        told.record.evaluated("run0", Evaluation(30, 2.0, 0.9, 0.75, {"system/process_memory_megabytes": 250.0}))
        told.end()
        started = told.child().info.start_time
        assert told.history("system/process_memory_megabytes") == [(30, 250.0, started + 750)]
        (row,) = _rows(told.bench.study, told.bench.tracking)
        assert not any(name.startswith("system") for name in row)

    def test_a_new_driver_tells_only_what_is_missing(self, told):
        told.begin()
        live(told, 30)
        told.record._writer.flush()
        before = told.history("curve.train_loss")
        told.again()
        told.begin()
        slower = Evaluation(step=30, train_loss=2.0, validation_error=0.9, seconds=4.0)  # made again, by a new worker
        told.record.evaluated(told.name(0), slower)
        told.end()
        told.record._writer.flush()
        assert told.history("curve.train_loss")[:1] == before
        told.again()
        told.begin()
        told.end()
        assert [step for step, *_ in told.history("curve.seconds")] == [30, 60]
        assert told.history("validation_error") == [(0, told.result()["validation_error"], 1767323045678)]

    def test_the_result_tells_what_nobody_heard(self, told):
        told.begin()
        live(told, 60)
        told.end()
        assert [step for step, *_ in told.history("curve.validation_error")] == [30, 60]

    def test_results_of_before_evaluations_were_timed(self, told):
        result = told.result()
        del result["curve"]["seconds"]
        told.begin()
        told.end(result=result)
        started = told.child().info.start_time
        assert [(step, stamp - started) for step, _, stamp in told.history("curve.train_loss")] == [
            (30, 1500),
            (60, 1500),
        ]


class TestEnds:
    @pytest.mark.parametrize(
        ("result", "status", "word"),
        [
            (lambda told: told.result(), "FINISHED", "finished"),
            (lambda told: told.result(reason="diverged"), "FAILED", "failed"),
            (lambda told: cut_short(told.result(), Evaluation(30, 2.0, 0.9, 0.75)), "KILLED", "pruned"),
        ],
    )
    def test_status_and_frame(self, told, result, status, word):
        told.begin()
        told.end(result=result(told))
        told.close_configuration(result(told))
        child = told.child()
        assert (child.info.status, child.data.tags["status"]) == (status, word)
        (parent,) = told.recorded()[0]
        assert (parent.info.status, parent.data.tags["status"]) == (status, word)
        (row,) = _rows(told.bench.study, told.bench.tracking)
        assert row["status"] == word
        assert (row["reason"] is None) == (word == "finished")
        if word == "pruned":
            assert (row["validation_error"], row["validation_error_so_far"], row["curve.step"]) == (None, 0.9, [30])

    def test_a_queue_of_ended_runs_does_not_hold_their_results(self, told, monkeypatch):
        told.begin()
        put = []
        monkeypatch.setattr(told.record._writer, "put", put.append)
        result = told.result()
        folder = told.bench.folder.run(told.name(0))
        folder.path.mkdir(exist_ok=True)
        write_json(folder.result, result)
        told.end(0, result)
        (change,) = put
        assert (change.numbers, change.tags, change.params) == ([], {}, {})
        assert change.whole().tags["host"] == result["host"]
        assert len(change.whole().numbers) > len(result["curve"]["step"])
        folder.result.unlink()  # as when a pruned run goes on
        assert change.whole().numbers == []

    def test_what_is_open_is_interrupted_and_in_no_frame(self, told):
        told.begin()
        told.record.interrupt()
        assert (told.child().info.status, told.child().data.tags["status"]) == ("KILLED", "interrupted")
        assert _rows(told.bench.study, told.bench.tracking) == []
        told.begin()
        assert told.child().info.status == "RUNNING"

    def test_a_fault_that_was_mended_leaves_no_reason(self, told):
        told.begin()
        told.end(result={"status": "failed", "reason": "the worker died", "finished": told.result()["finished"]})
        assert told.child().data.tags["reason"] == "the worker died"
        told.begin()
        told.end()
        told.recorded()
        (row,) = _rows(told.bench.study, told.bench.tracking)
        assert (row["status"], row["reason"]) == ("finished", None)

    def test_what_it_trains_on(self, told):
        told.begin()
        (data,) = told.child().inputs.dataset_inputs
        assert data.dataset.name == "digits"
        assert digest("digits").startswith(data.dataset.digest)
        assert digest("digits") in data.dataset.source
        assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", "training")]

    def test_tags_to_search_by(self, told):
        told.begin()
        told.end()
        child = told.child()
        found = ("family", "task", "budget_band")
        assert [child.data.tags[name] for name in found] == [
            "free",
            "digits",
            band(told.chosen.anatomy.learnable, told.bench.study),
        ]
        where = "tags.family = 'free' and tags.status = 'finished' and metrics.`params.learnable` < 10000"
        assert len(told.client.search_runs([child.info.experiment_id], where)) == 1


class TestComplete:
    def test_only_what_was_written_to_its_end(self, told):
        told.begin(0)
        told.end(0)
        told.begin(1)
        told.record._writer.flush()
        told.again()
        assert told.record.complete("run0")
        assert not told.record.complete("run1")  # RUNNING
        assert not told.record.complete("run2")
        assert not told.record.configuration_complete(told.chosen.name, 1)
        told.close_configuration(told.result(0))
        told.record.interrupt()
        told.again()
        assert not told.record.complete("run1")  # KILLED
        assert told.record.configuration_complete(told.chosen.name, 1)
        assert not told.record.configuration_complete(told.chosen.name, 2)

    def test_a_run_that_ended_without_its_numbers(self, told):
        told.begin()
        told.client.set_terminated(told.child().info.run_id, "FINISHED")
        told.again()
        assert not told.record.complete("run0")

    def test_a_fault_is_not_the_result(self, told):
        told.begin()
        told.end(result={"status": "failed", "reason": "the worker died", "finished": told.result()["finished"]})
        told.record._writer.flush()
        told.again()
        assert not told.record.complete("run0")

    def test_a_configuration_that_is_open_again_is_not_complete(self, told):
        told.begin()
        told.end()
        told.close_configuration(told.result())
        told.record._writer.flush()
        told.again()
        told.begin(1)
        assert not told.record.configuration_complete(told.chosen.name, 1)


class TestOutages:
    def test_nothing_is_lost_and_nothing_twice(self, told, monkeypatch):
        """Every call fails twice before it works, and runs are made without an answer."""
        fails = {}
        create = MlflowClient.create_run

        def flaky(name, method):
            def call(*arguments, **options):
                fails[name] = fails.get(name, 0) + 1
                if fails[name] < 3:
                    raise DOWN
                return method(*arguments, **options)

            return call

        def deaf(*arguments, **options):
            fails["create_run"] = fails.get("create_run", 0) + 1
            if fails["create_run"] < 3:
                create(*arguments, **options)
                raise DOWN
            return create(*arguments, **options)

        for name in ("log_batch", "set_terminated", "update_run"):
            monkeypatch.setattr(MlflowClient, name, flaky(name, getattr(MlflowClient, name)))
        monkeypatch.setattr(MlflowClient, "create_run", deaf)
        told.begin()
        live(told, 30)
        told.end()
        told.close_configuration(told.result())
        told.record._writer.flush()
        parents, children = told.recorded()
        assert statuses(parents) == statuses(children) == {"FINISHED": 1}
        assert len(told.history("curve.train_loss")) == 2
        assert told.record.behind() == 0

    def test_a_study_stops_cleanly_and_the_next_call_has_all(self, bench, monkeypatch):
        bench = bench()
        monkeypatch.setenv(PATIENCE, "0.2")
        with monkeypatch.context() as down:
            engine = bench.engine()
            down.setattr(MlflowClient, "log_batch", refuse)
            wait = bench.pool.wait
            down.setattr(bench.pool, "wait", lambda timeout: patiently(engine, wait, timeout))
            with pytest.raises(UserError, match=r"MLflow's store sqlite:.* failed: .*\nnothing is lost: mend it"):
                engine.run()
        trained = len(results(bench.folder))
        assert 0 < trained < 8
        assert bench.run().finished == 8
        parents, children = recorded(bench.tracking, bench.study.name)
        assert statuses(parents) == {"FINISHED": 4}
        assert statuses(children) == {"FINISHED": 8}
        assert set(bench.pool.trained.values()) == {1}

    def test_the_driver_goes_on_while_the_store_is_down(self, bench, monkeypatch):
        bench = bench()
        engine = bench.engine()
        held = threading.Event()
        write = engine.record._writer._write
        monkeypatch.setattr(engine.record._writer, "_write", lambda change: held.wait(20) and write(change))
        monkeypatch.setattr(engine.record, "interrupt", held.set)
        assert engine.run().finished == 8  # all of it, with nothing in MLflow yet
        engine.record.close()
        assert statuses(recorded(bench.tracking, bench.study.name)[1]) == {"FINISHED": 8}


def refuse(*_, **__):
    raise DOWN


def patiently(engine, wait, timeout):
    """One run, and time enough for the store to be given up."""
    yield from wait(timeout)
    engine.record._writer._thread.join(5)


def test_bands(tmp_path):
    assert [band_of(count, []) for count in (1, 2, 3, 1024, 1025)] == ["<= 1", "<= 2", "<= 4", "<= 1,024", "<= 2,048"]
    edges = [12_000, 14_000]
    assert [band_of(count, edges) for count in (1, 12_000, 12_001, 14_001)] == [
        "<= 12,000", "<= 12,000", "<= 14,000", "> 14,000",
    ]  # fmt: skip
