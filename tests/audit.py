"""`make audit`: known vulnerabilities of the packages in requirements.lock, by pip-audit.

Ends with 0 if none is known or PyPI's service cannot be reached, and says which; with 1 if there are any.
"""

import json
import subprocess
import sys

_AUDIT = ["pip_audit", "--requirement", "requirements.lock", "--no-deps", "--disable-pip", "--format", "json"]
_UNREACHED = ("Could not connect to", "requests.exceptions.ConnectionError", "requests.exceptions.ReadTimeout")


def main() -> None:
    """Run pip-audit and say what it found."""
    ended = subprocess.run([sys.executable, "-m", *_AUDIT, "--progress-spinner", "off"], capture_output=True, text=True)
    code, told = verdict(ended.stdout, ended.stderr)
    print(told)
    sys.exit(code)


def verdict(found: str, complaints: str) -> tuple[int, str]:
    """Exit code and words for what pip-audit wrote to its two streams."""
    try:
        packages = json.loads(found)["dependencies"]
    except ValueError:
        if any(words in complaints for words in _UNREACHED):
            return 0, "NOT AUDITED: the vulnerability service cannot be reached"
        return 1, f"pip-audit failed\n{complaints}"
    skipped = [one["skip_reason"] for one in packages if "skip_reason" in one]
    if len(skipped) == len(
        packages
    ):  # what a mirror of PyPI without its JSON interface answers: pip-audit calls it well
        return 0, f"NOT AUDITED: the vulnerability service knows none of the {len(packages)} packages; is this PyPI?"
    flaws = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one.get("vulns", [])
    ]
    count = f"{len(packages) - len(skipped)} packages audited, {len(flaws)} known vulnerabilities"
    return int(bool(flaws)), "\n".join([*skipped, *flaws, count])


if __name__ == "__main__":
    main()
