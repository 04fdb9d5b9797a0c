"""``python -m hyperbudget``."""

from hyperbudget.cli import main

if __name__ == "__main__":
    main(prog_name="hyperbudget")
