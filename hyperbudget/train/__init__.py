"""The one training loop: schedules, evaluation, checkpoints. Needs torch and NumPy alone; ``train.spec`` neither."""
