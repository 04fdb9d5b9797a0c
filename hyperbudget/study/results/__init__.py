"""What came of a study: MLflow's runs as a frame, a finished run's model, the words of its columns."""
