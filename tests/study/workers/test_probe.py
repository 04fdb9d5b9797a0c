"""How many runs fit on a GPU: the arithmetic, which configurations are measured, and when. No GPU is needed."""

import pytest
import ray

from hyperbudget.errors import UserError
from hyperbudget.study.workers.probe import Need, largest, share
from tests.study.support import FREE, tiny

GIB = 2**30


class FakeRay:
    """What the probe needs of Ray; `measured` counts measurements."""

    def __init__(self, gpus, need=None):
        self.gpus, self.need, self.measured, self.options_given = gpus, need, 0, None

    def cluster_resources(self):
        return {"CPU": 8.0, "GPU": float(self.gpus), "accelerator_type:H200": 1.0} if self.gpus else {"CPU": 8.0}

    def remote(self, function):
        self.function = function
        return self

    def options(self, **options):
        self.options_given = options
        self.remote = self.submit
        return self

    def submit(self, fields):
        self.fields = fields
        self.remote = type(self).remote.__get__(self)
        return fields

    def get(self, reference):
        self.measured += 1
        if self.need is None:
            raise ray.exceptions.RayTaskError("measure", "first\nOutOfMemoryError: 3 GiB", ValueError())
        return self.need


@pytest.fixture
def with_ray(monkeypatch):
    def use(gpus, need=None):
        fake = FakeRay(gpus, need)
        for name in ("cluster_resources", "remote", "get"):
            monkeypatch.setattr(ray, name, lambda *a, name=name: getattr(fake, name)(*a))
        return fake

    return use


@pytest.fixture
def auto(tmp_path):
    return tiny(tmp_path, "resources.gpus=auto", "resources.cpus=2")


@pytest.mark.parametrize(
    ("need", "runs"),
    [(1 * GIB, 72), (10 * GIB, 7), (24 * GIB, 3), (36 * GIB, 2), (37 * GIB, 1), (72 * GIB, 1), (200 * GIB, 1)],
)
def test_nine_tenths_of_the_memory_are_shared(need, runs):
    measured = Need("A", 80 * GIB, need)
    assert measured.runs == runs
    assert measured.share * runs <= 1 < measured.share * (runs + 1)
    assert round(measured.share * 1e4) == pytest.approx(measured.share * 1e4)  # as finely as Ray counts


def test_without_a_gpu_the_runs_use_the_cpu(auto, with_ray, tmp_path):
    fake, said = with_ray(0), []
    assert share(auto, tmp_path / "gpu.json", said.append) == 0.0
    assert said == ["resources.gpus: auto: there is no GPU, so the runs use the CPU"]
    assert fake.measured == 0


def test_measured_once_on_a_whole_gpu(auto, with_ray, tmp_path):
    fake, said = with_ray(1, Need("NVIDIA X", 80 * GIB, 10 * GIB)), []
    assert share(auto, tmp_path / "gpu.json", said.append) == 0.1428
    assert fake.options_given == {"num_cpus": 2.0, "num_gpus": 1, "max_retries": 0}
    assert said[-1] == "resources.gpus: auto: 7 runs fit on one NVIDIA X: the largest needs 10.0 of its 80.0 GiB"
    assert share(auto, tmp_path / "gpu.json", said.append) == 0.1428
    assert fake.measured == 1


def test_measured_again_when_the_largest_are_others(auto, with_ray, tmp_path):
    fake = with_ray(1, Need("NVIDIA X", 80 * GIB, 10 * GIB))
    share(auto, tmp_path / "gpu.json", print)
    share(tiny(tmp_path, "resources.gpus=auto", "model.width={grid: [4, 16]}"), tmp_path / "gpu.json", print)
    assert fake.measured == 2


def test_a_measurement_that_fails_is_the_users_to_mend(auto, with_ray, tmp_path):
    with_ray(1)
    with pytest.raises(UserError, match=r"resources.gpus: auto: no measurement: .*; set resources.gpus to a number"):
        share(auto, tmp_path / "gpu.json", print)
    assert not (tmp_path / "gpu.json").exists()


def test_the_largest_by_any_account(auto, tmp_path):
    (found,) = largest(tiny(tmp_path, text=FREE))
    assert found.configuration.model.network.width == 8
    for chosen in largest(auto):
        assert chosen.configuration.model.network.width == 8
    batches = largest(tiny(tmp_path, "training.batch_size={grid: [16, 256]}", text=FREE))
    assert max(chosen.configuration.training.batch_size for chosen in batches) == 256


def test_what_the_budget_refuses_is_not_measured(tmp_path):
    (found,) = largest(tiny(tmp_path, "budget.params.max=1000", text=FREE))
    assert found.configuration.model.network.width == 4
