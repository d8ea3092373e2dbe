"""As much of Google Cloud Storage's JSON API as its client needs to write, list, read and delete objects."""

from __future__ import annotations

import base64
import email.parser
import hashlib
import json
import struct
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

from .recording import RecordingServer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKET = "/storage/v1/b/"
UPLOAD = "/upload/storage/v1/b/"
DOWNLOAD = "/download/storage/v1/b/"


class StorageApi(RecordingServer):
    """Keeps objects in memory, for callers whose access token `accepts`."""

    def __init__(self, accepts: Callable[[str], bool]) -> None:
        self._accepts = accepts
        self._objects: dict[tuple[str, str], bytes] = {}
        self._uploads: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Reply:
        if request.bearer is None or not self._accepts(request.bearer):
            return _error(401, "Invalid Credentials")
        with self._lock:
            if request.path.startswith(UPLOAD):
                return self._upload(request)
            if request.path.startswith(DOWNLOAD):
                return self._download(request)
            if request.path.startswith(BUCKET):
                return self._metadata(request)
        return _error(404, "Not Found")

    def _upload(self, request: Request) -> Reply:
        bucket = unquote(request.path.removeprefix(UPLOAD).split("/")[0])
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
        if query.get("uploadType") == "multipart":
            metadata, content = _parts(request)
            return self._store(bucket, metadata["name"], content)
        if request.method == "POST":
            name = query.get("name") or json.loads(request.body)["name"]
            session = str(len(self._uploads))
            self._uploads[session] = (bucket, name)
            location = f"{self.origin()}{request.path}?uploadType=resumable&upload_id={session}"
            return Reply(200, b"", {"Location": location})
        return self._store(*self._uploads[query["upload_id"]], request.body)

    def _download(self, request: Request) -> Reply:
        bucket, _, name = request.path.removeprefix(DOWNLOAD).partition("/o/")
        content = self._objects.get((unquote(bucket), unquote(name)))
        if content is None:
            return _error(404, "Not Found")
        headers = {"Content-Type": "application/octet-stream", "X-Goog-Hash": f"crc32c={_crc32c(content)}"}
        return Reply(200, content, headers)

    def _metadata(self, request: Request) -> Reply:
        bucket, _, name = request.path.removeprefix(BUCKET).partition("/o")
        if name.startswith("/"):
            key = (unquote(bucket), unquote(name[1:]))
            if key not in self._objects:
                return _error(404, "Not Found")
            if request.method == "DELETE":
                del self._objects[key]
                return Reply(204, b"")
            return Reply.json(_described(*key, self._objects[key]))
        if request.target.partition("?")[0].endswith("/o"):
            items = [_described(*key, content) for key, content in sorted(self._objects.items())]
            return Reply.json({"kind": "storage#objects", "items": items})
        return Reply.json({"kind": "storage#bucket", "name": unquote(bucket)})

    def _store(self, bucket: str, name: str, content: bytes) -> Reply:
        self._objects[bucket, name] = content
        return Reply.json(_described(bucket, name, content))


def _parts(request: Request) -> tuple[dict[str, Any], bytes]:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(head + request.body)
    metadata, content = (part.get_payload(decode=True) for part in message.get_payload())  # type: ignore[union-attr]
    return json.loads(metadata), content  # type: ignore[arg-type,return-value]


def _described(bucket: str, name: str, content: bytes) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "bucket": bucket,
        "name": name,
        "size": str(len(content)),
        "crc32c": _crc32c(content),
        "md5Hash": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
    }


def _crc32c(content: bytes) -> str:
    return base64.b64encode(struct.pack(">I", google_crc32c.value(content))).decode()


def _error(status: int, message: str) -> Reply:
    return Reply.json({"error": {"code": status, "message": message}}, status)
