"""Uploads, as the SDK's files_upload_v2 does them, and permalinks that lead somewhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

JSON = dict[str, Any]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(9)


@pytest.fixture
def uploading(slack: Any) -> Any:
    """A stand-in whose app may upload."""
    return slack.team(bot={"scopes": ["chat:write", "files:write"]})


def get(url: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def post(url: str, body: bytes, kind: str = "application/octet-stream") -> int:
    request = urllib.request.Request(url, body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def refused(client: Any, method: str, **params: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        client.api_call(method, params=params)
    error = caught.value.response["error"]
    assert isinstance(error, str)
    return error


def test_the_sdk_uploads_a_file_into_a_thread(
    uploading: Any, slack: Any, client: Any, channels: dict[str, str]
) -> None:
    channel = channels["random"]
    parent = client.chat_postMessage(channel=channel, text="card")["ts"]
    done = client.files_upload_v2(
        filename="payload.json",
        content='{"amount": 120}',
        title="Payload",
        channel=channel,
        thread_ts=parent,
        initial_comment="The whole payload",
    )
    _, reply = slack.messages(channel, parent)
    (file,) = reply["files"]
    assert (reply["text"], file["id"], file["title"]) == ("The whole payload", done["file"]["id"], "Payload")
    assert (file["name"], file["size"], file["filetype"]) == ("payload.json", 15, "json")
    url = file["url_private"]
    assert get(url, Authorization=f"Bearer {slack.bot_token}") == (200, b'{"amount": 120}')
    assert get(url)[0] == 403


def test_an_upload_needs_its_scope_its_length_and_its_bytes(
    slack: Any, client: Any, channels: dict[str, str]
) -> None:
    ask, complete = "files.getUploadURLExternal", "files.completeUploadExternal"
    assert refused(client, ask, filename="a", length=1) == "missing_scope"
    slack.team(bot={"scopes": ["chat:write", "files:write"]})
    for length in ("0", "-1", "x", "1.5", "9" * 5000, ""):
        assert refused(client, ask, filename="a", length=length) == "invalid_arguments"
    assert refused(client, ask, filename="a", length=10**10) == "file_upload_size_restricted"
    assert refused(client, ask, filename="a", length=2**21, snippet_type="text") == "snippet_too_large"
    assert refused(client, ask, filename="a", length=1, alt_txt="x" * 1001) == "alt_txt_too_large"
    asked = client.files_getUploadURLExternal(filename="a", length=3)
    files = json.dumps([{"id": asked["file_id"]}])
    assert refused(client, complete, files=files) == "file_update_failed"
    assert post(asked["upload_url"], b"four") == 400
    assert post(asked["upload_url"] + "x", b"abc") == 404
    assert post(asked["upload_url"], b"abc") == 200
    for wrong in ("[]", "{}", "[1]", "x"):
        assert refused(client, complete, files=wrong) == "invalid_arguments"
    assert refused(client, complete, files='[{"id": "F0"}]') == "file_not_found"
    assert refused(client, complete, files=files, channel_id="random") == "channel_not_found"
    assert refused(client, complete, files=files, channel_id=channels["general"]) == "not_in_channel"
    missing = {"channel_id": channels["random"], "thread_ts": "1.000001"}
    assert refused(client, complete, files=files, **missing) == "thread_not_found"
    assert client.api_call(complete, params={"files": files})["files"][0]["title"] == "a"
    assert refused(client, complete, files=files) == "file_not_found"
    assert slack.messages(channels["random"]) == []


def test_a_file_may_come_as_a_form(uploading: Any, client: Any) -> None:
    asked = client.files_getUploadURLExternal(filename="a.txt", length=3)
    form = b'--x\r\nContent-Disposition: form-data; name="filename"; filename="a.txt"\r\n\r\nabc\r\n--x--\r\n'
    for torn in ("multipart/form-data", "multipart/form-data; boundary=y", "multipart/mixed; boundary="):
        assert post(asked["upload_url"], form, torn) == 400
    assert post(asked["upload_url"], form, "multipart/form-data; boundary=x") == 200


def uploaded(client: Any, content: bytes, **where: str) -> str:
    asked = client.files_getUploadURLExternal(filename="a.png", length=len(content))
    assert post(asked["upload_url"], content) == 200
    client.files_completeUploadExternal(files=[{"id": asked["file_id"]}], **where)
    return str(asked["file_id"])


def test_a_deleted_file_is_gone_and_its_message_says_so(
    uploading: Any, slack: Any, client: Any, channels: dict[str, str]
) -> None:
    channel = channels["random"]
    parent = client.chat_postMessage(channel=channel, text="card")["ts"]
    file = uploaded(client, PNG, channel_id=channel, thread_ts=parent, initial_comment="Have a look")
    assert get(f"{slack.url}/sandbox/files/{file}") == (200, PNG)
    client.files_delete(file=file)
    _, reply = slack.messages(channel, parent)
    assert (reply["text"], reply["files"]) == ("Have a look", [{"id": file, "mode": "tombstone"}])
    assert get(f"{slack.url}/sandbox/files/{file}")[0] == 404
    assert get(f"{slack.url}/files/{file}", Authorization=f"Bearer {slack.bot_token}")[0] == 404
    assert refused(client, "files.delete", file=file) == "file_deleted"
    assert refused(client, "files.delete", file="F0") == "file_not_found"
    assert refused(client, "files.delete") == "invalid_arguments"
    complete = {"files": json.dumps([{"id": file}])}
    assert refused(client, "files.completeUploadExternal", **complete) == "file_not_found"
    slack.team(bot={"scopes": ["chat:write"]})
    assert refused(client, "files.delete", file=file) == "missing_scope"


def test_one_that_was_never_shared_can_be_deleted_and_not_be_sent_any_more(
    uploading: Any, client: Any
) -> None:
    asked = client.files_getUploadURLExternal(filename="a", length=3)
    client.files_delete(file=asked["file_id"])
    assert post(asked["upload_url"], b"abc") == 404


@pytest.mark.parametrize(
    ("content", "kind", "how"),
    [
        (PNG, "image/png", "inline"),
        (b"\xff\xd8\xff\xe0", "image/jpeg", "inline"),
        (b"GIF89a", "image/gif", "inline"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", "inline"),
        (b"%PDF-1.4", "application/pdf", "inline"),
        (b"<svg onload='x()'>", "application/octet-stream", "attachment"),
        (b"<!DOCTYPE html><script>x()</script>", "application/octet-stream", "attachment"),
    ],
)
def test_a_browser_is_shown_pictures_and_pdfs_and_runs_nothing(
    uploading: Any, slack: Any, client: Any, content: bytes, kind: str, how: str
) -> None:
    file = uploaded(client, content)
    with urllib.request.urlopen(f"{slack.url}/sandbox/files/{file}") as response:
        headers = response.headers
        assert (headers["Content-Type"], headers["Content-Disposition"]) == (kind, how)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'"


def test_a_permalink_leads_to_its_message(slack: Any, client: Any, channels: dict[str, str]) -> None:
    channel = channels["random"]
    parent = client.chat_postMessage(channel=channel, text="card")["ts"]
    reply = client.chat_postMessage(channel=channel, text="log", thread_ts=parent)["ts"]
    for ts, text in ((parent, "card"), (reply, "log")):
        link = client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
        status, body = get(link)
        assert (status, json.loads(body)["message"]["text"]) == (200, text)
    for gone in ("p1", "p17000000000000000", "x"):
        assert get(f"{slack.url}/archives/{channel}/{gone}")[0] == 404
