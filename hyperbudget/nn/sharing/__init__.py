"""How much the kernels of a network have in common. NumPy alone."""
