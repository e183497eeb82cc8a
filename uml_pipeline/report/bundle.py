"""The page's scripts, and the policy under which a browser runs these alone and fetches nothing."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


@cache
def scripts() -> tuple[str, ...]:
    """Plotly's library as its Python package carries it (MIT, 4.8 MB), and live.js, which draws by it."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs(), (TEMPLATES / "live.js").read_text(encoding="utf-8")


def element(script: str) -> Markup:
    """The script as part of a page.

    Raises:
        ValueError: it would end before its end.
    """
    if "</script" in script.lower() or "<!--" in script:
        raise ValueError("a script that holds markup cannot stand in a page")
    return Markup(f"<script>{script}</script>")


def policy() -> str:
    """Content-Security-Policy: no address but those of embedded pictures, and no script but those known by their hash,
    so that text of a user's that became markup by a mistake of ours would still run nothing.
    """
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts())
    allowed = {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "script-src": " ".join(f"'sha256-{one}'" for one in hashes),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())
