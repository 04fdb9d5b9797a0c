"""The training loop on digits: it learns, it is deterministic, it resumes bit for bit, and it reports divergence."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from hyperbudget.data.augment import augment
from hyperbudget.data.load import load
from hyperbudget.data.splits import RawImages, split
from hyperbudget.data.tasks import TASKS
from hyperbudget.errors import UserError
from hyperbudget.nn.spec import ConvNet, Free, Hyper, ModelSpec, ResNet
from hyperbudget.train.evaluate import evaluate
from hyperbudget.train.images import initial_model
from hyperbudget.train.loop import Diverged, Training, build_optimizer
from hyperbudget.train.objective import compiler
from hyperbudget.train.spec import RunSpec, TrainingSpec
from hyperbudget.train.streams import stream
from hyperbudget.train.timing import estimate_seconds

CPU = torch.device("cpu")
HYPER = ModelSpec(ResNet(depth=2, width=8), Hyper(2, None, 8, 8))
SETTINGS = TrainingSpec(steps=60, batch_size=64, learning_rate=1e-2, evaluate_every=15)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def run_spec(model=HYPER, seed=0, **training):
    return RunSpec("digits", model, dataclasses.replace(SETTINGS, **training), seed)


def test_learns_digits(digits):
    result = Training(run_spec(ModelSpec(ResNet(depth=2, width=16), Hyper(4)), steps=200), digits, CPU).run()
    assert result.test_error < 0.15
    assert result.curve.step == [15 * n for n in range(1, 14)] + [200]
    assert result.curve.train_loss[-1] < result.curve.train_loss[0] / 4


def test_validation_selects_and_the_test_split_is_measured_there(digits):
    spec = run_spec(learning_rate=0.05, schedule="constant")
    training = Training(spec, digits, CPU)
    result, model = training.run(), training.model
    assert result.validation_error == min(result.curve.validation_error)
    assert result.curve.validation_error[result.curve.step.index(result.best_step)] == result.validation_error
    assert evaluate(model, digits.validation_images, digits.validation_labels).error == result.validation_error
    assert evaluate(model, digits.test_images, digits.test_labels).error == result.test_error


def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not(digits):
    first, again, other = (Training(run_spec(seed=seed), digits, CPU).run() for seed in (5, 5, 6))
    assert first.curve == again.curve
    assert first.test_error == again.test_error
    assert first.curve.train_loss != other.curve.train_loss


def test_training_leaves_the_global_generator_alone(digits):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    Training(run_spec(steps=3), digits, CPU).run()
    assert torch.equal(torch.get_rng_state(), before)


class Killed(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_stopped_run_resumes_bit_for_bit(digits, tmp_path, optimizer):
    spec = run_spec(optimizer=optimizer)
    undisturbed = Training(spec, digits, CPU).run()
    saved = 0

    def kill_at_the_third():
        nonlocal saved
        saved += 1
        if saved == 3:
            raise Killed

    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    with pytest.raises(Killed):
        Training(spec, digits, CPU, before_checkpoint=kill_at_the_third, **options).run()
    resumed = Training(spec, digits, CPU, **options)
    result = resumed.run()
    assert result.curve == undisturbed.curve
    assert (result.validation_error, result.test_error) == (undisturbed.validation_error, undisturbed.test_error)
    assert result.best_step == undisturbed.best_step
    assert result.seconds > 0
    assert saved == 3


def test_resuming_really_starts_from_the_checkpoint(digits, tmp_path):
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    Training(run_spec(), digits, CPU, **options).run()
    resumed = Training(run_spec(), digits, CPU, **options)
    resumed._restore()
    assert resumed.step == 60


def test_a_damaged_checkpoint_means_the_beginning(digits, tmp_path):
    options = {"checkpoint_file": tmp_path / "checkpoint.pt", "checkpoint_seconds": 0.0}
    undisturbed = Training(run_spec(), digits, CPU, **options).run()
    file = options["checkpoint_file"]
    file.write_bytes(file.read_bytes()[:1000])
    assert Training(run_spec(), digits, CPU, **options).run().curve == undisturbed.curve


def test_divergence_is_said(digits):
    spec = run_spec(ModelSpec(ConvNet(4, 3), Free()), optimizer="sgd", learning_rate=1e30, schedule="constant")
    with pytest.raises(Diverged, match=r"training loss is (nan|inf) at step 15"):
        Training(spec, digits, CPU).run()


def test_l2_is_on_the_generated_kernels(digits):
    """One SGD step without momentum: the parameters move by lr x the gradient of loss + l2 / 2 sum K^2."""
    plain = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "learning_rate": 0.1, "steps": 1}
    trained = Training(run_spec(l2=0.3, **plain), digits, CPU)
    model = initial_model(trained.spec, digits)
    images, labels = (t[trained.problem.order.indices(0)] for t in (digits.train_images, digits.train_labels))
    kernels = model.source()
    loss = torch.nn.functional.cross_entropy(model.apply_kernels(images, kernels), labels)
    (loss + 0.15 * sum((kernel**2).sum() for kernel in kernels)).backward()
    trained.take_step()
    for moved, start in zip(trained.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(moved.detach(), (start - 0.1 * start.grad).detach(), rtol=1e-4, atol=1e-6)


def test_gradients_are_clipped(digits):
    plain = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "learning_rate": 1.0, "steps": 1}
    training = Training(run_spec(clip_norm=0.01, **plain), digits, CPU)
    before = [p.detach().clone() for p in training.model.parameters()]
    training.take_step()
    moved = math.sqrt(
        sum(((p - b) ** 2).sum().item() for p, b in zip(training.model.parameters(), before, strict=True))
    )
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_sgd_is_nesterovs(digits):
    model = initial_model(run_spec(), digits)
    group = build_optimizer(model, dataclasses.replace(SETTINGS, optimizer="sgd", momentum=0.8)).param_groups[0]
    assert group["nesterov"]
    assert group["momentum"] == 0.8


def test_evaluation_counts_every_sample_once(digits):
    model = initial_model(run_spec(), digits)
    whole = evaluate(model, digits.test_images, digits.test_labels, batch_size=1000)
    parts = evaluate(model, digits.test_images, digits.test_labels, batch_size=37)
    wrong = (model.eval()(digits.test_images).argmax(1) != digits.test_labels).sum().item()
    assert whole.error == parts.error == wrong / 400
    assert whole.loss == pytest.approx(parts.loss, rel=1e-5)


def test_time_is_estimated_without_data():
    assert 0 < estimate_seconds(run_spec(), CPU) < 600
    assert 0 < estimate_seconds(run_spec(steps=1), CPU) < 600


def colour_images():
    """Images of CIFAR-10's shape, few: a class is a colour, noise apart."""
    task = dataclasses.replace(TASKS["cifar10"], splits=(200, 40, 60))
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 300, np.uint8)
    colours = random.integers(60, 190, (10, 3), np.uint8)[labels][:, :, None, None]
    images = (colours + random.integers(-10, 10, (300, 3, 32, 32))).astype(np.uint8)
    return split(task, RawImages(images, labels), maximum=255)


def test_bytes_are_normalised_then_augmented(monkeypatch):
    data = colour_images()
    spec = RunSpec("cifar10", ModelSpec(ConvNet(4, 3), Free()), dataclasses.replace(SETTINGS, steps=2), 3)
    training = Training(spec, data, CPU)
    seen = []
    apply = training.model.apply_kernels
    monkeypatch.setattr(training.model, "apply_kernels", lambda x, kernels: seen.append(x) or apply(x, kernels))
    training.step = 1
    training.take_step()
    training._evaluate()
    chosen = training.problem.order.indices(1)
    expected = augment(data.normalised(data.train_images)[chosen], data.task, stream(3, "augment", 1))
    assert torch.equal(seen[0], expected)
    assert torch.equal(torch.cat(seen[1:]), data.normalised(data.validation_images))


def test_learns_colours():
    spec = RunSpec("cifar10", ModelSpec(ConvNet(8, 3), Free()), dataclasses.replace(SETTINGS, steps=60), 0)
    assert Training(spec, colour_images(), CPU).run().test_error < 0.5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_learns_on_a_gpu(digits):
    assert Training(run_spec(steps=200), digits, torch.device("cuda")).run().test_error < 0.15


def test_bf16_takes_about_the_same_step_as_fp32(digits):
    """Products have 8 bits: the loss within 1%, and the gradient, through ten roundings, within 10% of its length."""
    spec = run_spec(ModelSpec(ResNet(depth=4, width=16), Hyper(4)), l2=5e-4)
    losses, gradients = [], []
    for precision in ("fp32", "bf16"):
        settings = dataclasses.replace(spec.training, precision=precision)
        training = Training(dataclasses.replace(spec, training=settings), digits, CPU)
        losses.append(training.take_step().item())
        gradients.append(torch.cat([p.grad.flatten() for p in training.model.parameters()]))
        assert all(p.dtype == torch.float32 for p in training.model.parameters())
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
    assert (gradients[1] - gradients[0]).norm() < 0.1 * gradients[0].norm()


def test_bf16_is_evaluated_in_bf16_and_learns(digits):
    model = ModelSpec(ResNet(depth=2, width=16), Hyper(4))
    assert Training(run_spec(model, steps=200, precision="bf16"), digits, CPU).run().test_error < 0.15


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler for torch.compile")
def test_a_compiled_step_is_the_same_step(digits):
    spec = run_spec(ModelSpec(ResNet(depth=2, width=8), Hyper(4, basic_in=8, basic_out=8)), l2=5e-4)
    losses = []
    for compiled in (False, True):
        settings = dataclasses.replace(spec.training, compile=compiled)
        training = Training(dataclasses.replace(spec, training=settings), digits, CPU)
        losses.append([training.take_step().item() for _ in range(3)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_compiling_without_a_compiler_says_so(digits, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError, match=r"^training\.compile: needs a C\+\+ compiler, .* or leave compile out$"):
        Training(run_spec(compile=True), digits, CPU)
