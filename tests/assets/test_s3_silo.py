"""A silo in an object store: read and watched through S3's own protocol, against a local server."""

import io
import sys
from collections.abc import Iterator

import fsspec
import pytest
from PIL import Image

from tests.assets.test_automation import Watch
from uml_pipeline import pipeline
from uml_pipeline.errors import UserError
from uml_pipeline.pipeline import Step
from uml_pipeline.study import Study


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[fsspec.AbstractFileSystem]:
    """The file system of a server with one bucket of that name, which all that speaks S3 finds by environment."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "anything")
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fs.mkdir("bucket")
    yield fs
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # they keep the server's address
    server.stop()


def photo(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def far(study: Study, bucket: fsspec.AbstractFileSystem, change_silo) -> Study:
    """The study with its photos in the bucket."""
    for name, hue in (("cat", 0), ("dog", 180)):
        bucket.pipe({f"bucket/photos/{name}/{n}.png": photo(f"hsl({hue + 9 * n}, 90%, 50%)") for n in range(6)})
    return change_silo(study, "photos", path="s3://bucket/photos")


@pytest.mark.slow
def test_the_sensor_follows_the_bucket_and_the_silo_is_read_from_it(far: Study, bucket) -> None:
    pytest.importorskip("dvc_s3", reason="DVC needs dvc-s3 for a silo in S3: pip install 'uml-pipeline[s3]'")
    watch = Watch(far)
    (request,) = watch.settle()
    assert request.tags["uml/changed"] == "photos,texts"
    assert pipeline.run_step(far, pipeline.open_ledger(far), Step("silo", "photos")) == pipeline.Outcome.DONE
    assert watch.settle() == []
    bucket.pipe("bucket/photos/cat/0.png", photo("hsl(0, 90%, 50%)"))  # the same bytes once more, with another time
    assert watch.settle() == []
    bucket.pipe("bucket/photos/cat/0.png", photo("black"))
    (request,) = watch.settle()
    assert request.tags["uml/changed"] == "photos"
    assert pipeline.run_step(far, pipeline.open_ledger(far), Step("silo", "photos")) == pipeline.Outcome.DONE
    assert watch.settle() == []


def test_a_missing_file_system_is_said_in_words(study: Study, change_silo, monkeypatch: pytest.MonkeyPatch) -> None:
    far = change_silo(study, "photos", path="s3://bucket/photos")
    monkeypatch.setitem(sys.modules, "dvc_s3", None)
    with pytest.raises(UserError, match="file system") as caught:
        pipeline.open_ledger(far)
    assert "uml-pipeline[s3]" in str(caught.value)
