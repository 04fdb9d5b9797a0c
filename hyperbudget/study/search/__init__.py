"""What is tried: the study file's space as Optuna's, proposals, budgets, seeds in turns, pruning."""
