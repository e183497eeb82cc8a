"""What is tried again: a network's faults, however they were wrapped, and nothing that a person has to mend."""

import dagster as dg
import pytest
import requests
from botocore.exceptions import ClientError, EndpointConnectionError

from assets.faults import transient
from assets.features import build as build_features
from assets.plan import Plan
from assets.workbench import told_in_dagster
from tests.assets.test_definitions import ROOT
from uml_pipeline.errors import UserError, concerning
from uml_pipeline.study import Study


def answered(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError("no", response=response)


NETWORK = [
    ConnectionResetError("gone"),
    TimeoutError("late"),
    requests.ConnectionError("no route"),
    requests.Timeout("late"),
    EndpointConnectionError(endpoint_url="s3"),
    ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "GetObject"),
    answered(429),
]
OURS = [
    FileNotFoundError("photos"),
    ValueError("shape"),
    answered(404),
    ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject"),
    UserError("no such silo"),
]


def failed(error: Exception) -> Exception:
    """What a step raises when that happens inside it."""
    with pytest.raises(Exception) as caught, told_in_dagster():
        raise error
    return caught.value


@pytest.mark.parametrize("error", NETWORK, ids=lambda error: type(error).__name__)
def test_the_network_gets_another_try(error: Exception) -> None:
    assert failed(error) is error


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_nothing_else_does(error: Exception) -> None:
    failure = failed(error)
    assert isinstance(failure, dg.Failure)
    assert not failure.allow_retries
    assert str(error) in str(failure.description)


def test_a_network_at_the_root_of_what_the_user_is_told_counts() -> None:
    def hub() -> None:
        with concerning("silo 'photos'"):
            try:
                raise requests.ConnectionError("no route")
            except requests.ConnectionError:
                raise UserError("the model cannot be loaded", fix="check the network") from None

    with pytest.raises(dg.Failure) as caught, told_in_dagster():
        hub()
    assert caught.value.allow_retries
    assert caught.value.metadata["to do"].value == "check the network"


def test_an_error_that_comes_back_to_itself_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    assert not transient(one)


def test_a_step_is_tried_four_times_later_and_later() -> None:
    policies = {asset.op.retry_policy for asset in build_features(Plan(Study(ROOT)))}
    (policy,) = policies
    assert (policy.max_retries, policy.backoff) == (3, dg.Backoff.EXPONENTIAL)
