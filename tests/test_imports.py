"""What is slow to load is loaded by those who need it."""

import json
import subprocess
import sys

import pytest

HEAVY = ["torch", "transformers", "timm", "great_expectations", "dvc", "sklearn", "matplotlib"]
LIGHT = {
    "the command line": "import uml_pipeline.cli",
    "a study": "import uml_pipeline.study, uml_pipeline.workspace, uml_pipeline.graph",
    "uml --help": "import uml_pipeline.cli as cli; sys.argv = ['uml', '--help']; cli.main()",
    "uml trunk --help": "import uml_pipeline.cli as cli; sys.argv = ['uml', 'trunk', '--help']; cli.main()",
    "a mistake": "import uml_pipeline.cli as cli; sys.argv = ['uml', 'status', '--study', '/nowhere']; cli.main()",
}


@pytest.mark.parametrize("code", LIGHT.values(), ids=LIGHT.keys())
def test_nothing_heavy_is_loaded_by(code: str) -> None:
    told = f"import atexit, json, sys\natexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n{code}"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert "uml_pipeline" in loaded
    assert loaded.isdisjoint(HEAVY)
