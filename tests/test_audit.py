"""What `make audit` makes of pip-audit's answers: nothing passes for audited that was not."""

import json

import pytest

from tests.audit import verdict

SOUND = {"name": "numpy", "version": "2.4.6", "vulns": []}
FLAWED = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["9.0.1"]}]}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.11.0)"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SOUND], 0, ["1 packages audited, 0 known"]),
        ([SOUND, FLAWED], 1, ["pillow 9.0.0: PYSEC-1, mended in 9.0.1", "2 packages audited, 1 known"]),
        ([SOUND, UNKNOWN], 0, ["could not be audited: torch", "1 packages audited, 0 known"]),
        ([UNKNOWN], 0, ["NOT AUDITED"]),
    ],
)
def test_answers(packages, code, words):
    ended, told = verdict(json.dumps({"dependencies": packages, "fixes": []}), "")
    assert ended == code
    assert all(one in told for one in words)


@pytest.mark.parametrize(
    "complaint",
    ["ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed", "requests.exceptions.ConnectionError: x"],
)
def test_a_service_out_of_reach_is_told(complaint):
    code, told = verdict("", complaint)
    assert code == 0
    assert told.startswith("NOT AUDITED")


def test_any_other_failure_is_one():
    assert verdict("", "No module named pip_audit")[0] == 1
