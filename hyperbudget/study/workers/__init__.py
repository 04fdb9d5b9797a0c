"""Who trains: a pool of Ray actors, what one of them does, how it is heard of, and the cluster they are on."""
