"""What `pip install uml-pipeline` brings is enough to predict, and brings nothing of the pipeline."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.model.shipped import LABELS, pictures, shipped
from uml_pipeline.extras import EXTRAS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ABSENT = ["dagster", "dvc", "great_expectations", "datasets", "transformers", "timm", "matplotlib", "plotly", "sklearn"]


def closure(requirements: list[str]) -> dict[str, Distribution]:
    """All that pip would install for them here, by name."""
    found: dict[str, Distribution] = {}
    waiting, seen = [(Requirement(one), "") for one in requirements], set[tuple[str, str]]()
    while waiting:
        wanted, extra = waiting.pop()
        name = wanted.name.lower().replace("_", "-")
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        for asked in ["", *wanted.extras]:
            if (name, asked) in seen:
                continue
            seen.add((name, asked))
            try:
                found[name] = distribution(name)
            except PackageNotFoundError:  # of torch's for a GPU, where this is a torch for the CPU
                break
            waiting += [(Requirement(one), asked) for one in found[name].requires or []]
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to exactly those packages, and to ours."""
    folder = tmp_path_factory.mktemp("bare")
    for one in closure(PROJECT["dependencies"]).values():
        tops = {file.parts[0] for file in one.files or [] if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            if not (folder / top).exists():
                (folder / top).symlink_to(Path(str(one.locate_file(top))))
    (folder / "uml_pipeline").symlink_to(ROOT / "uml_pipeline")
    return folder


def run(bare: Path, code: str) -> subprocess.CompletedProcess[str]:
    """`code` by an interpreter that finds nothing else."""
    start = f"import sys; sys.path.insert(0, {str(bare)!r})\n"
    return subprocess.run([sys.executable, "-I", "-S", "-c", start + code], capture_output=True, text=True, check=False)


def uml(bare: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return run(bare, f"from uml_pipeline.cli import main; sys.argv = {['uml', *map(str, words)]!r}; main()")


def test_nothing_of_the_pipeline_can_be_found(bare: Path) -> None:
    assert all(find_spec(name) for name in ABSENT)  # here they are installed
    code = f"import importlib.util, json; print(json.dumps([bool(importlib.util.find_spec(n)) for n in {ABSENT}]))"
    assert not any(json.loads(run(bare, code).stdout))


def test_it_predicts(bare: Path, tmp_path: Path) -> None:
    model = shipped(tmp_path / "model", "image", "builtin/emoji")
    paths = pictures(tmp_path / "new", 4)
    (tmp_path / "new" / "9.png").write_text("no picture")
    code = f"""
from uml_pipeline.model import UnimodalModel
print(*UnimodalModel.load({str(model)!r}).predict([{str(paths[0])!r}]))
"""
    done = run(bare, code)
    assert done.stdout.strip() in LABELS, done.stderr
    out = tmp_path / "out.parquet"
    done = uml(bare, "predict", model, tmp_path / "new", "--out", out)
    assert (done.returncode, out.is_file()) == (0, True), done.stderr
    assert "4 of 5 samples recognised" in done.stdout
    done = uml(bare, "predict", model, paths[0], "--top", 1)
    assert (done.returncode, done.stdout.count("%")) == (0, 1), done.stderr


def test_a_missing_package_is_named_with_its_extra(bare: Path, tmp_path: Path) -> None:
    model = shipped(tmp_path / "model", "text", "builtin/minilm")
    for words, extra in (
        (["predict", model, "a text"], "text"),
        (["predict", "hf://someone/something", "a text"], "hub"),
        (["export", model, "--samples", "a text"], "text"),
        (["run", "--study", ROOT], "pipeline"),
    ):
        done = uml(bare, *words)
        assert done.returncode == 2, done.stderr
        assert f"pip install 'uml-pipeline[{extra}]'" in done.stderr, done.stderr


def test_the_extras_are_those_that_are_installed() -> None:
    names = {"sklearn": "scikit-learn", "upath": "universal-pathlib"}
    for extra, modules in EXTRAS.items():
        listed = {Requirement(one).name for one in PROJECT["optional-dependencies"][extra]}
        for module in modules:
            assert names.get(module, module.replace("_", "-")) in listed
    assert PROJECT["optional-dependencies"]["inference"] == []
