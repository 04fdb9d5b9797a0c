"""What a configuration costs, without training it: closed forms by group, and the paper's printed numbers. No torch."""
