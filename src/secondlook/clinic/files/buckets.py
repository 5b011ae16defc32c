"""Sealed files in a bucket of an S3-compatible store, such as SeaweedFS, Ceph or AWS; needs the extra ``s3``."""

import io
from typing import Any

from django.core.files.base import File
from django.core.files.storage import Storage

from secondlook.errors import InputError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError as error:
    raise InputError("SECONDLOOK_S3_BUCKET needs the extra `s3`: pip install 'secondlook[s3]'.") from error

CONNECT_S, READ_S, ATTEMPTS = 5, 30, 4
ABSENT = {"404", "NoSuchKey", "NotFound"}


class BucketStorage(Storage):
    """Each file is one object, written by one request: it is whole or not there.

    One client serves all threads, as boto3 allows for clients; every request's thread would else build its own.
    """

    def __init__(self, *, bucket: str, prefix: str = "pictures/", **client: Any) -> None:
        self.bucket, self.prefix = bucket, prefix
        retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        # Stores other than AWS know neither virtual hosts nor the newer checksums.
        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries=retries,
            max_pool_connections=32,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self.client = boto3.client("s3", config=config, **client)

    def check(self) -> None:
        """Ask for the bucket.

        Raises:
            InputError: It is not there, does not let us in, or does not answer.
        """
        try:
            self.client.head_bucket(Bucket=self.bucket)
        except (BotoCoreError, ClientError) as error:
            raise InputError(
                f"Expected the bucket {self.bucket} to answer, got {type(error).__name__}. Make it, and check the "
                "settings SECONDLOOK_S3_ENDPOINT, _REGION, _ACCESS_KEY and _SECRET_KEY."
            ) from error

    def _save(self, name: str, content: "File[Any]") -> str:
        self.client.put_object(Bucket=self.bucket, Key=self.prefix + name, Body=content.read())
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":  # noqa: ARG002 - as Django calls it
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                raise FileNotFoundError(name) from error
            raise
        return File(io.BytesIO(found["Body"].read()), name)

    def exists(self, name: str) -> bool:  # noqa: ARG002 - as Django calls it
        """Return that any name is free: they are random, and who writes one anew writes the same."""
        return False

    def delete(self, name: str) -> None:
        """Remove a file; that it is not there is no fault."""
        self.client.delete_object(Bucket=self.bucket, Key=self.prefix + name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and the files in a folder."""
        start = self.prefix + (f"{path}/" if path else "")
        folders, files = [], []
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start, Delimiter="/")
        for page in pages:
            folders += [each["Prefix"].removeprefix(start).rstrip("/") for each in page.get("CommonPrefixes", ())]
            files += [each["Key"].removeprefix(start) for each in page.get("Contents", ())]
        return folders, files
