"""Whether a cluster can run a study: looked at from the driver and from a worker on every node."""
