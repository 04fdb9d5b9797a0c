"""Run a study: Optuna asks, Ray places, MLflow records. Nothing heavy is imported here; `study.frame` is light."""

import os

# MLflow decides when it is imported whether to send usage statistics; a study calls nobody unless the user wants it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
