"""The rules of the house: who may import whom, what stays out, what files may be called."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level packages that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("fkd", {"streamlit", "dashboard", "pages", "plotly", "benchmarks", "tests"}),
        ("dashboard", {"pages", "benchmarks", "tests", "tensorflow", "keras"}),
        ("pages", {"benchmarks", "tests", "tensorflow", "keras"}),
    ],
)
def test_imports_go_one_way(folder, forbidden):
    found = modules(folder)
    assert found
    for path in found:
        assert not imported(path) & forbidden, path


def test_pickle_is_nowhere():
    for folder in ("fkd", "dashboard", "pages"):
        for path in modules(folder):
            assert not imported(path) & {"pickle", "joblib", "dill", "shelve"}, path
            assert "allow_pickle=True" not in path.read_text(), path


def test_no_html_around_data():
    for folder in ("dashboard", "pages"):
        for path in modules(folder):
            assert "unsafe_allow_html" not in path.read_text(), path
    assert "innerHTML" not in (ROOT / "dashboard" / "face_grid.js").read_text()


def test_nothing_the_pages_need_imports_tensorflow():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in modules("dashboard")
        if path.name not in {"app.py", "__init__.py"}
    ]
    code = "import sys\n" + "".join(f"import {n}\n" for n in [*names, "fkd.cli"])
    code += "assert not {'tensorflow', 'keras'} & set(sys.modules), 'TensorFlow was imported'"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_library_starts_without_heavy_imports():
    code = (
        "import sys, fkd, fkd.cli; fkd.cli.build_parser()\n"
        "heavy = {'pandas', 'sklearn', 'scipy', 'cv2', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_page_or_dashboard_module_is_called_like_the_standard_library():
    # AppTest and Streamlit put the script's folder first on the path.
    for folder in ("pages", "dashboard"):
        names = {p.stem for p in (ROOT / folder).iterdir() if p.suffix == ".py" or p.is_dir()}
        assert not names & sys.stdlib_module_names


def test_the_wheel_names_every_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = set(tomllib.load(file)["tool"]["setuptools"]["packages"])
    for folder in ("fkd", "dashboard"):
        for init in (ROOT / folder).rglob("__init__.py"):
            package = ".".join(init.parent.relative_to(ROOT).parts)
            assert package.replace("dashboard", "fkd_app.dashboard") in listed


def test_everything_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            wanted = line.split("#")[0].strip()
            if wanted and not wanted.startswith("-r"):
                assert "==" in wanted, line


def test_the_server_listens_to_this_machine_only():
    with (ROOT / "dashboard" / ".streamlit" / "config.toml").open("rb") as file:
        config = tomllib.load(file)
    assert config["server"]["address"] == "localhost"
    from fkd.settings import MAX_UPLOAD_MB

    assert config["server"]["maxUploadSize"] == MAX_UPLOAD_MB


def test_both_settings_of_streamlit_are_alike():
    """Of the folder that it is started from, and of the one that app.py lies in."""
    one, other = (ROOT / p / ".streamlit" / "config.toml" for p in ("", "dashboard"))
    assert one.read_text() == other.read_text()
    assert not one.is_symlink()
    assert not other.is_symlink()
