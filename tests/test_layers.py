"""The house: imports go down the list of layers only, and each layer keeps to the packages that it may need."""

import ast
from pathlib import Path

import pytest

import hyperbudget

PACKAGE = Path(hyperbudget.__file__).parent
LAYERS = ["cli", "bench", "summary", "report", "figures", "analyze", "study", "config", "train", "data", "budget", "nn"]
"""From the top to the bottom."""
GROUND = {"errors", "__init__"}
"""Modules below all layers."""

HEAVY = {"ray", "optuna", "mlflow", "pandas", "seaborn", "matplotlib", "pydantic", "scipy", "jinja2", "weasyprint"}
FORBIDDEN = {
    "nn": HEAVY, "data": HEAVY, "train": HEAVY, "budget": HEAVY | {"torch"},
    "config": (HEAVY - {"pydantic"}) | {"torch"},
    "analyze": {"torch", "ray", "mlflow"}, "figures": {"torch", "ray", "mlflow"}, "report": {"torch", "ray", "mlflow"},
}  # fmt: skip


def imported(file: Path) -> list[tuple[int, str]]:
    """(line, module) of every import anywhere in `file`, those inside functions included."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            found.append((node.lineno, node.module or ""))
            if node.module == "hyperbudget":
                found += [(node.lineno, f"hyperbudget.{alias.name}") for alias in node.names]
    return found


def files():
    return sorted(file for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE)


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down(file):
    layer = file.relative_to(PACKAGE).parts[0]
    assert layer in LAYERS, f"{file}: a room that the house does not have"
    for line, module in imported(file):
        root, _, rest = module.partition(".")
        if root == "hyperbudget" and rest:
            other = rest.partition(".")[0]
            if other not in LAYERS:  # the modules beside the layers, and names in the package itself
                assert not (PACKAGE / other).is_dir(), f"{file}:{line}: {module} is in no layer"
            else:
                assert LAYERS.index(other) >= LAYERS.index(layer), f"{file}:{line}: {layer} imports {module} from above"
        assert root not in FORBIDDEN.get(layer, set()), f"{file}:{line}: {layer} must not need {root}"


def test_the_ground_imports_nothing_of_the_house():
    for file in PACKAGE.glob("*.py"):
        if file.stem in GROUND:
            assert not [m for _, m in imported(file) if m.startswith("hyperbudget.")], file


def test_the_test_would_notice(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from hyperbudget.cli import main\n")
    assert (2, "hyperbudget.cli") in imported(file)
