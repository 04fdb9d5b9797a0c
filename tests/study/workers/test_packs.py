"""Runs that a worker trains as one program: each has the result of the run alone, in its own folder."""

import dataclasses
import json

import pytest
import ray

from hyperbudget.data.load import digest
from hyperbudget.study.folder import RunFolder, StudyFolder
from hyperbudget.study.search.plan import grid_candidates
from hyperbudget.study.session import Options, run_study
from hyperbudget.study.workers import packs
from hyperbudget.study.workers.execute import execute
from hyperbudget.study.workers.job import Contact, Crowded, Job, Superseded
from tests.study.support import Silent, results, tiny

TEXT = """
question: Do they disturb each other?
task: pydocs
model: {network: language_model, family: lstm, hidden_size: 6}
training:
  steps: 6
  batch_size: 4
  length: 10
  evaluate_every: 2
  evaluation_rows: 2000
  learning_rate: {grid: [1e-3, 1e-2]}
search: {seeds: [0, 1]}
resources: {pack: 4}
"""


@pytest.fixture
def jobs(tmp_path):
    """Makes the jobs of the study, with folders of their own."""

    def make(where, *overrides, **fields):
        study = tiny(tmp_path, *overrides, text=TEXT)
        made = []
        for chosen in grid_candidates(study)[0]:
            for spec in chosen.runs(study.search.seeds):
                folder = RunFolder(tmp_path / where / "runs" / spec.name("x"))
                folder.path.mkdir(parents=True, exist_ok=True)
                folder.attempt.write_text("mine")
                made.append(
                    Job(
                        folder.path.name, spec.fields(), digest("pydocs"), folder.path, "mine", threads=1,
                        checkpoint_seconds=0.0, pack=packs.key(study, chosen, spec), **fields,
                    )
                )  # fmt: skip
        return made

    return make


def alone(jobs):
    return [execute(dataclasses.replace(job, pack=None)) for job in jobs]


def together(jobs, contacts=None):
    return packs.execute(jobs, contacts or [Contact() for _ in jobs])


def test_as_the_runs_alone(jobs):
    ours = jobs("together")
    assert len({job.pack for job in ours}) == 1
    for packed, expected, job in zip(together(ours), alone(jobs("alone")), ours, strict=True):
        assert packed["status"] == "finished"
        assert packed["device"].endswith("in a pack of 4")
        assert packed.keys() == expected.keys()
        assert packed["test_error"] == pytest.approx(expected["test_error"], rel=1e-5)
        assert packed["curve"]["validation_error"] == pytest.approx(expected["curve"]["validation_error"], rel=1e-5)
        assert packed["compact_bytes"] == pytest.approx(expected["compact_bytes"], abs=64)  # their numbers as text
        folder = RunFolder(job.folder)
        assert json.loads(folder.result.read_text()) == packed
        assert sorted(path.name for path in folder.path.iterdir()) == ["attempt", "model.safetensors", "result.json"]
    assert not list(packs.checkpoint_file(ours).parent.iterdir())
    assert together(ours) == [json.loads(RunFolder(job.folder).result.read_text()) for job in ours], "done is done"


def test_what_is_done_is_not_done_again(jobs):
    ours = jobs("together")
    first = execute(ours[1])
    found = together(ours)
    assert found[1] == first
    assert found[0]["device"].endswith("in a pack of 3")


def test_each_is_told_of_and_stopped_by_itself(jobs):
    ours = jobs("together", asks=True)
    told = {job.run: [] for job in ours}

    def contact(job):
        def report(evaluation, asks):
            told[job.run].append((evaluation.step, asks))
            return not (job is ours[2] and evaluation.step == 4)

        return Contact(report)

    found = together(ours, [contact(job) for job in ours])
    assert [result["status"] for result in found] == ["finished", "finished", "pruned", "finished"]
    assert told[ours[0].run] == [(2, True), (4, True), (6, False)]
    assert told[ours[2].run] == [(2, True), (4, True)]
    assert (found[2]["stopped_at"], found[2]["reason"]) == (4, "pruned at step 4")
    folder = RunFolder(ours[2].folder)
    assert folder.checkpoint.exists()
    folder.result.unlink()
    gone_on = execute(dataclasses.replace(ours[2], asks=False, pack=None))
    expected = alone(jobs("alone"))[2]
    assert gone_on["status"] == "finished"
    assert gone_on["curve"]["train_loss"] == pytest.approx(expected["curve"]["train_loss"], rel=1e-4)


def test_one_that_diverges_fails_by_itself(jobs):
    ours = jobs("together", "training.learning_rate={grid: [1e-3, 1e38]}", "training.optimizer=sgd")
    found = together(ours)
    assert [result["status"] for result in found] == ["finished", "finished", "failed", "failed"]
    assert found[2]["reason"].startswith("diverged: training loss is")


def test_killed_and_tried_again_it_goes_on_from_its_checkpoint(jobs, monkeypatch):
    undisturbed = together(jobs("undisturbed"))
    ours = jobs("together")

    def die(evaluation, asks):
        if evaluation.step == 4:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        together(ours, [Contact(die) for _ in ours])
    assert packs.checkpoint_file(sorted(ours, key=lambda job: job.run)).exists()
    steps = []
    found = together(ours[::-1], [Contact(lambda evaluation, _: steps.append(evaluation.step) or True) for _ in ours])
    assert [result["curve"]["train_loss"] for result in found[::-1]] == [
        result["curve"]["train_loss"] for result in undisturbed
    ]
    assert sorted(set(steps)) == [2, 4, 6], "what was told before the death may come again, and nothing is left out"


def test_a_pack_that_cannot_be_trained_is_given_back(jobs, monkeypatch):
    from hyperbudget.train.pack.training import PackedTraining

    def full(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(PackedTraining, "run", full)
    with pytest.raises(Crowded, match="out of memory on the CPU: no more"):
        together(jobs("together"))


def test_a_pack_of_which_one_run_is_anothers_now_writes_nothing_more(jobs):
    ours = jobs("together")
    RunFolder(ours[3].folder).attempt.write_text("theirs")
    with pytest.raises(Superseded):
        together(ours)
    assert not any(RunFolder(job.folder).result.exists() for job in ours)


@pytest.mark.parametrize(
    ("pack", "gpus", "expected"), [("auto", 0.0, 1), ("auto", 1.0, packs.SIZE), ("off", 1.0, 1), ("5", 0.0, 5)]
)
def test_how_many(tmp_path, pack, gpus, expected):
    assert packs.size(tiny(tmp_path, f"resources.pack={pack}", text=TEXT), gpus) == expected


def test_what_shares_a_pack(tmp_path):
    large = tiny(tmp_path, "resources.pack=auto", "model.hidden_size=1000", text=TEXT)
    chosen = grid_candidates(large)[0][0]
    assert packs.key(large, chosen, chosen.configuration.run(0)) is None, "it fills a GPU alone"
    assert packs.key(tiny(tmp_path, "resources.pack=8", text=TEXT), chosen, chosen.configuration.run(0)) is not None
    image = tiny(tmp_path)
    chosen = grid_candidates(image)[0][0]
    assert packs.key(image, chosen, chosen.configuration.run(0)) is None, "its batch norms keep statistics"


def test_a_study_in_packs(tmp_path, monkeypatch):
    """On Ray: 4 runs of one shape and 4 of another, so two packs; and the same results as without."""
    monkeypatch.setenv("HYPERBUDGET_RESULTS", str(tmp_path / "results"))
    study = tiny(tmp_path, "model.hidden_size={grid: [6, 8]}", text=TEXT, name="packed")
    assert not ray.is_initialized()
    outcome = run_study(study, Options(workers=1), Silent())
    assert (outcome.finished, outcome.failures) == (8, [])
    folder = StudyFolder.of("packed")
    assert {result["device"] for result in results(folder).values()} == {"CPU, 1 thread, in a pack of 4"}
    for run in folder.all_runs():
        alone = execute(dataclasses.replace(job_of(run), folder=copied(run, tmp_path)))
        assert json.loads(run.result.read_text())["test_error"] == pytest.approx(alone["test_error"], rel=1e-5)


def job_of(run):
    fields = json.loads(run.spec.read_text())
    name = fields.pop("run")
    return Job(name, fields, digest("pydocs"), run.path, "mine", threads=1)


def copied(run, tmp_path):
    folder = tmp_path / "alone" / run.path.name
    folder.mkdir(parents=True)
    (folder / "attempt").write_text("mine")
    return folder
