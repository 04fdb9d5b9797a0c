from types import SimpleNamespace

from hyperbudget.study.progress import Progress


def chosen(label, learnable, task):
    """What of a candidate the front is made of."""
    return SimpleNamespace(
        label=label, anatomy=SimpleNamespace(learnable=learnable), configuration=SimpleNamespace(task=task)
    )


def test_a_front_for_each_task():
    progress = Progress(listener=None, workers=1)
    runs = [("small", 100, "digits", 0.2), ("worse", 200, "digits", 0.3), ("large", 300, "digits", 0.1)]
    runs += [("rnn", 100, "ptb", 1.9), ("lstm", 400, "ptb", 1.5)]
    for trial, (label, learnable, task, error) in enumerate(runs):
        metric = {"metric": "bpc"} if task == "ptb" else {}
        for seed in (0, 1):
            result = {"status": "finished", "seed": seed, "validation_error": error, "seconds": 1.0, **metric}
            progress.count(trial, chosen(label, learnable, task), result)
    assert [(best.label, best.metric, best.seeds) for best in progress.front()] == [
        ("small", "error", 2), ("large", "error", 2), ("rnn", "bpc", 2), ("lstm", "bpc", 2),
    ]  # fmt: skip
