"""The progress of a run as a stream of events, and who takes them: a callback, the run's folder, TensorBoard."""
