"""Words of a text or of a class name, as they are compared."""

import re


def words(text: str) -> list[str]:
    """Runs of letters and digits, in small letters: `Snow_Leopard` and `snow leopard` are the same words."""
    return re.findall(r"[^\W_]+", text.casefold())
