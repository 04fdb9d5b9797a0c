"""How much of a GPU a run needs, measured: ``resources: {gpus: auto}``."""

from __future__ import annotations

import gc
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hyperbudget.config import Study
from hyperbudget.errors import UserError
from hyperbudget.study.folder import read_json, write_json
from hyperbudget.study.provenance import versions
from hyperbudget.study.search.candidates import Candidate
from hyperbudget.study.search.plan import plan

USABLE = 0.9
"""The share of a GPU's memory that is given to runs: what they need varies, and memory falls into pieces."""
STEPS = 12
"""Enough for a step to be captured as a graph, and for the optimizer to have its state."""


@dataclass(frozen=True)
class Need:
    """What the largest run needs on a `device`: bytes of its `total`, with what every process needs for itself."""

    device: str
    total: int
    need: int

    @property
    def runs(self) -> int:
        """How many such runs fit, at least one."""
        return max(1, int(USABLE * self.total / self.need))

    @property
    def share(self) -> float:
        """The part of a GPU to ask for: Ray counts in ten-thousandths, so rounded down to those."""
        return math.floor(1e4 / self.runs) / 1e4

    def __str__(self) -> str:
        need, total = (f"{value / 2**30:.1f}" for value in (self.need, self.total))
        runs = "1 run fits" if self.runs == 1 else f"{self.runs} runs fit"
        return f"{runs} on one {self.device}: the largest needs {need} of its {total} GiB"


def share(study: Study, cache: Path, say: Callable[[str], None]) -> float:
    """The part of a GPU that each run of `study` is given; 0 where Ray has no GPU. What it is, and why, is said.

    Measured once, on a whole GPU; kept in the file `cache`. Needs Ray to be connected.
    Raises UserError when a GPU cannot be measured.
    """
    import ray
    from ray.exceptions import RayError

    resources = ray.cluster_resources()
    if not resources.get("GPU"):
        say("resources.gpus: auto: there is no GPU, so the runs use the CPU")
        return 0.0
    probed = largest(study)
    kinds = sorted(name for name in resources if name.startswith("accelerator_type:"))
    names = [*(chosen.name for chosen in probed), *kinds, versions().get("torch", "")]
    key = hashlib.sha256("\n".join(names).encode()).hexdigest()
    kept = read_json(cache)
    if kept is not None and kept.pop("key") == key:
        found = Need(**kept)
    else:
        say("resources.gpus: auto: measuring how much memory the largest runs need")
        task = ray.remote(measure).options(num_cpus=study.resources.cpus, num_gpus=1, max_retries=0)
        seed = study.search.seeds[0]
        try:
            found = ray.get(task.remote([chosen.configuration.run(seed).fields() for chosen in probed]))
        except RayError as error:
            what = str(error).strip().splitlines()[-1]
            raise UserError(f"resources.gpus: auto: no measurement: {what}; set resources.gpus to a number") from None
        write_json(cache, {"key": key, **asdict(found)})
    say(f"resources.gpus: auto: {found}")
    return found.share


def largest(study: Study) -> list[Candidate]:
    """The configurations that may need most memory: for parameters, for weights in use, for what a batch makes."""

    def batch(chosen: Candidate) -> int:
        training = chosen.configuration.training
        return chosen.anatomy.generated * training.batch_size * (training.length or 1)

    candidates = [chosen for chosen in plan(study).candidates if chosen.refusal is None]
    keys: list[Callable[[Candidate], int]] = [
        lambda chosen: chosen.anatomy.learnable, lambda chosen: chosen.anatomy.generated, batch
    ]  # fmt: skip
    found = [max(candidates, key=key) for key in keys] if candidates else []
    return list({chosen.name: chosen for chosen in found}.values())


def measure(runs: Sequence[dict[str, Any]]) -> Need:
    """Train each of `runs` (their specs' fields) for a few steps on this process's GPU; the most that one needs."""
    import torch

    from hyperbudget.data.load import load
    from hyperbudget.train.loop import Training
    from hyperbudget.train.spec import RunSpec

    device = torch.device("cuda")
    most = 0
    for fields in runs:
        torch.cuda.reset_peak_memory_stats(device)
        spec = RunSpec.from_fields(fields)
        training = Training(spec, load(spec.task), device)
        for _ in range(min(STEPS, spec.training.steps)):
            training.take_step()
        training.problem.score("validation")
        most = max(most, torch.cuda.max_memory_reserved(device))
        del training
        gc.collect()
        torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(device)
    # What is left is CUDA's own, and that of programs of others: room that no run can have either.
    return Need(torch.cuda.get_device_name(device), total, most + total - free - torch.cuda.memory_reserved(device))
