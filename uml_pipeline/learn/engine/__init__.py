"""The training engine: one loop for one process or many, that can be killed at any moment and goes on exactly."""
