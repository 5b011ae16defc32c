"""Files in a bucket: kept, read, listed, dropped and killed as in a folder."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from secondlook.clinic.files.buckets import BucketStorage
from secondlook.clinic.files.services import FileLostError, keep_file, read_file
from secondlook.clinic.files.store import delete_sealed, list_sealed
from secondlook.errors import InputError

REGION = "eu-test-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of a store that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def options(endpoint: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of a bucket of its own."""
    name = f"b{abs(hash(request.node.name))}"
    access = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    storage = BucketStorage(bucket=name, endpoint_url=endpoint, **access)
    storage.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return {"bucket": name, "endpoint_url": endpoint, **access}


@pytest.fixture
def bucket(options: dict[str, Any], settings: Any) -> BucketStorage:
    """Have the site keep its files in a bucket."""
    backend = {"BACKEND": "secondlook.clinic.files.buckets.BucketStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "pictures": backend}
    return BucketStorage(**options)


def test_a_file_is_kept_read_listed_and_dropped(bucket: BucketStorage, practice: Any) -> None:
    name = keep_file(b"Jane Doe", practice=practice)
    assert read_file(name) == b"Jane Doe"
    assert list_sealed() == {name}
    stored = bucket.client.get_object(Bucket=bucket.bucket, Key=f"pictures/{name[:2]}/{name}")["Body"].read()
    assert b"Jane" not in stored
    delete_sealed(name)
    delete_sealed(name)
    assert list_sealed() == set()
    with pytest.raises(FileLostError):
        read_file(name)


def test_more_files_than_one_answer_lists(bucket: BucketStorage) -> None:
    names = {f"ab{number:038}" for number in range(1005)}
    for name in names:
        bucket.client.put_object(Bucket=bucket.bucket, Key=f"pictures/ab/{name}", Body=b"")
    assert list_sealed() == names


def test_a_bucket_that_is_not_there_is_refused_at_the_start(options: dict[str, Any]) -> None:
    BucketStorage(**options).check()
    with pytest.raises(InputError, match="SECONDLOOK_S3_ENDPOINT"):
        BucketStorage(**options | {"bucket": "another"}).check()
    with pytest.raises(InputError, match="EndpointConnectionError"):
        BucketStorage(**options | {"endpoint_url": "http://127.0.0.1:9"}).check()


def test_kills_leave_nothing_in_a_bucket(options: dict[str, Any], tmp_path: Path, site_bundle: Path) -> None:
    environment = {
        **os.environ,
        "SECONDLOOK_DATA_FOLDER": str(tmp_path),
        "SECONDLOOK_DATABASE_URL": "",
        "SECONDLOOK_S3_BUCKET": options["bucket"],
        "SECONDLOOK_S3_ENDPOINT": options["endpoint_url"],
        "SECONDLOOK_S3_REGION": REGION,
        "SECONDLOOK_S3_ACCESS_KEY": "test",
        "SECONDLOOK_S3_SECRET_KEY": "test",
    }
    command = [sys.executable, "-m", "tests.clinic.keeping.torture", "kill", "--rounds", "10"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["acknowledged"] >= 10
    assert found["swept"] > 0
    assert (found["missing"], found["orphans"], found["unreadable"]) == (0, 0, 0)
    assert found["answered_once"] == found["kept"]
    assert not (tmp_path / "pictures").exists()
