"""Run a study: Optuna asks, Ray places, MLflow records. Nothing is imported here; `study.frame` is light."""
