"""The model hub out of reach: said after seconds, where its library would try again for a minute before it looked
into its cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from uml_pipeline.errors import UserError

_PATIENCE = 3.0  # seconds


def unreachable() -> Exception | None:
    """Why the hub cannot be asked, or None: asked the way its library asks, by the same endpoint, proxy and
    certificates. `HF_HUB_OFFLINE` is such a reason.
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.errors import HTTPError

    try:
        get_session().head(constants.ENDPOINT, timeout=_PATIENCE)
    except (HTTPError, OSError) as error:
        return error
    return None


@contextmanager
def impatient(what: str, instead: str) -> Iterator[None]:
    """Inside the block the hub's library reads its cache alone, if the hub is out of reach; `instead`: what else a user
    may do who wants `what`.

    Raises:
        UserError: the cache lacks it.
    """
    from huggingface_hub import constants

    why, before = unreachable(), constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = why is not None
    try:
        yield
    except OSError:
        if why is None:
            raise
        fix = f"connect to the network (behind a mirror: HF_ENDPOINT), or {instead}"
        raise UserError(
            f"the model hub cannot be reached, and its cache has no {what}", where=str(why), fix=fix
        ) from why
    finally:
        constants.HF_HUB_OFFLINE = before
