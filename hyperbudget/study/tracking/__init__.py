"""What MLflow is told: runs, configurations and their numbers, queued and written by a thread."""
