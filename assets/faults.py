"""Which faults are worth a second try: those of a network, and none that a person has to mend."""

import dagster as dg

RETRIES = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""After some 10, 20 and 40 seconds: hubs and object stores that turn a request away ask for patience."""

# by name: none of the libraries that raise them need be installed, and a check imports none
_OF_THE_NETWORK = {
    "ConnectionError",  # Python, requests
    "TimeoutError",  # Python, fsspec
    "Timeout",  # requests
    "TransportError",  # httpx, and with it the Hugging Face hub
    "HTTPClientError",  # botocore
    "ClientConnectionError",  # aiohttp
}
_BUSY = {408, 425, 429, 500, 502, 503, 504}  # what an HTTP server may answer differently the next time


def transient(error: BaseException) -> bool:
    """Whether a network is at the root of it, so that the same step may succeed a minute later."""
    return any(_of_the_network(one) for one in _roots(error))


def _roots(error: BaseException) -> list[BaseException]:
    """The error, and what it was raised from or while handling, down to the first."""
    found = [error]
    while (deeper := found[-1].__cause__ or found[-1].__context__) and deeper not in found:
        found.append(deeper)
    return found


def _of_the_network(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & _OF_THE_NETWORK) or _answer(error) in _BUSY


def _answer(error: BaseException) -> int | None:
    """The status code of the HTTP answer that the error carries, as requests, httpx and botocore do."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return getattr(response, "status_code", None)
