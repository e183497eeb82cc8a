import base64
import hashlib

import pytest

from uml_pipeline.report import bundle


def test_a_script_that_would_end_early_is_refused():
    with pytest.raises(ValueError, match="holds markup"):
        bundle.element("x = '</SCRIPT>'")


def test_the_policy_names_the_scripts_of_the_page_and_nothing_else():
    allowed = dict(part.split(" ", 1) for part in bundle.policy().split("; "))
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in bundle.scripts()]
    assert allowed["script-src"] == " ".join(f"'sha256-{one}'" for one in hashes)
    assert (allowed["default-src"], allowed["img-src"]) == ("'none'", "data:")
    assert not any("http" in value or "unsafe-eval" in value for value in allowed.values())
