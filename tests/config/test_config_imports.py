from __future__ import annotations

import subprocess
import sys


def test_the_study_file_needs_no_heavy_package() -> None:
    code = "import sys, hyperbudget.config; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pydantic" in loaded
    assert not {"torch", "ray", "optuna", "mlflow", "pandas", "numpy"} & set(loaded)
