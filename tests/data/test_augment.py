"""The batched crop and flip against plain loops, exactly."""

from __future__ import annotations

import pytest
import torch

from hyperbudget.data.augment import augment, random_crop, random_flip
from hyperbudget.data.tasks import TASKS


def crop_one_by_one(images: torch.Tensor, pad: int, generator: torch.Generator) -> torch.Tensor:
    batch, channels, height, width = images.shape
    rows = torch.randint(2 * pad + 1, (2, batch), generator=generator).tolist()
    out = torch.zeros_like(images)
    for n in range(batch):
        canvas = torch.zeros(channels, height + 2 * pad, width + 2 * pad, dtype=images.dtype)
        canvas[:, pad : pad + height, pad : pad + width] = images[n]
        top, left = rows[0][n], rows[1][n]
        out[n] = canvas[:, top : top + height, left : left + width]
    return out


@pytest.mark.parametrize(
    ("shape", "pad"), [((128, 1, 28, 28), 1), ((16, 3, 32, 32), 4), ((5, 2, 3, 7), 2), ((0, 1, 4, 4), 1)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_it_is_the_plain_loop(shape: tuple[int, ...], pad: int, dtype: torch.dtype) -> None:
    images = (torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 256).to(dtype)
    before = images.clone()
    got = random_crop(images, pad, torch.Generator().manual_seed(7))
    expected = crop_one_by_one(images, pad, torch.Generator().manual_seed(7))
    assert got.shape == images.shape
    assert got.dtype == dtype
    assert got.is_contiguous()
    assert torch.equal(got, expected)
    assert torch.equal(images, before)


def augment_one_by_one(images: torch.Tensor, pad: int, generator: torch.Generator) -> torch.Tensor:
    out = crop_one_by_one(images, pad, generator)
    flips = torch.randint(2, (len(images),), generator=generator).tolist()
    for n, flip in enumerate(flips):
        if flip:
            for column in range(images.shape[3] // 2):
                other = images.shape[3] - 1 - column
                left, right = out[n, :, :, column].clone(), out[n, :, :, other].clone()
                out[n, :, :, column], out[n, :, :, other] = right, left
    return out


@pytest.mark.parametrize("batch", [0, 1, 40])
def test_cifar10_is_cropped_then_flipped_as_the_plain_loop_does_it(batch: int) -> None:
    task = TASKS["cifar10"]
    images = torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    before = images.clone()
    got = augment(images, task, torch.Generator().manual_seed(7))
    assert torch.equal(got, augment_one_by_one(images, 2, torch.Generator().manual_seed(7)))
    assert got.is_contiguous()
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_a_task_without_flips_draws_crops_and_nothing_more(name: str) -> None:
    """So the random stream, and with it every result, is the one of a crop alone."""
    task = TASKS[name]
    images = torch.rand(64, 1, task.size, task.size)
    whole, crop = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    assert torch.equal(augment(images, task, whole), random_crop(images, task.pad, crop))
    assert torch.equal(whole.get_state(), crop.get_state())


def test_the_offsets_of_a_mnist_batch_are_these() -> None:
    """Pinned: another order of drawing would change every published number."""
    images = torch.zeros(6, 1, 28, 28)
    images[:, :, 14, 14] = 1
    got = augment(images, TASKS["mnist"], torch.Generator().manual_seed(0))
    offsets = torch.randint(3, (2, 6), generator=torch.Generator().manual_seed(0))
    assert (got.nonzero()[:, 2:] == 15 - offsets.T).all()
    assert offsets.tolist() == [[2, 0, 2, 0, 1, 0], [1, 1, 1, 0, 2, 2]]


def test_half_of_the_images_are_flipped() -> None:
    images = torch.zeros(10_000, 1, 1, 2)
    images[:, :, :, 1] = 1
    flipped = random_flip(images, torch.Generator().manual_seed(0))
    assert flipped.sum((1, 2, 3)).eq(1).all()
    assert float(flipped[:, 0, 0, 0].mean()) == pytest.approx(0.5, abs=0.02)  # 4 standard deviations


def test_every_offset_is_equally_likely_and_independent() -> None:
    images = torch.zeros(9_000, 1, 3, 3)
    images[:, :, 1, 1] = 1
    crops = random_crop(images, 1, torch.Generator().manual_seed(0))
    share = crops.mean(dim=0)  # where the one pixel ended up: nine places
    assert crops.sum(dim=(1, 2, 3)).eq(1).all()
    assert share.sub(1 / 9).abs().max() < 0.015  # 4.5 standard deviations


def test_the_same_seed_crops_the_same_and_the_generator_moves_on() -> None:
    images = torch.rand(64, 1, 8, 8)
    generator = torch.Generator().manual_seed(3)
    first, second = random_crop(images, 2, generator), random_crop(images, 2, generator)
    assert not torch.equal(first, second)
    assert torch.equal(first, random_crop(images, 2, torch.Generator().manual_seed(3)))


def test_no_padding_is_no_augmentation() -> None:
    images = torch.rand(4, 1, 8, 8)
    generator = torch.Generator().manual_seed(0)
    state = generator.get_state()
    assert random_crop(images, 0, generator) is images
    assert torch.equal(generator.get_state(), state)


def test_a_negative_pad_is_refused() -> None:
    with pytest.raises(ValueError, match="pad: -1 is negative"):
        random_crop(torch.rand(1, 1, 4, 4), -1, torch.Generator())


@pytest.mark.gpu
def test_the_gpu_flips_as_the_cpu_does_with_a_generator_of_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images, task = torch.randn(128, 3, 32, 32), TASKS["cifar10"]
    on_host = augment(images, task, torch.Generator().manual_seed(5))
    on_device = augment(images.cuda(), task, torch.Generator().manual_seed(5))
    assert on_device.is_cuda
    assert torch.equal(on_device.cpu(), on_host)


@pytest.mark.gpu
def test_the_gpu_crops_as_the_cpu_does_with_a_generator_of_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    images = torch.rand(128, 1, 28, 28)
    on_host = random_crop(images, 1, torch.Generator().manual_seed(5))
    on_device = random_crop(images.cuda(), 1, torch.Generator().manual_seed(5))
    assert on_device.is_cuda
    assert torch.equal(on_device.cpu(), on_host)
