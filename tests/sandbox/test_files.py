"""Uploads, as the SDK's files_upload_v2 does them, and permalinks that lead somewhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

JSON = dict[str, Any]


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
