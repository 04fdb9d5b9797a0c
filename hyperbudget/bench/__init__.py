"""Benchmarks as commands: what the design costs and saves, as ratios against a baseline, interleaved in one run."""
