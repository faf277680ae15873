"""Discovery: Google's libraries build every address from what this document says, so it must be the client's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.perspective.conftest import Build, Service

PATH = "/$discovery/rest?version=v1alpha1"


def root(service: Service, peer: str = "127.0.0.1", **headers: str) -> Any:
    """The address that the document gives to a client with these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = service.app.test_client().get(PATH, headers=sent, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == 200, answer.text
    assert answer.json["rootUrl"] == answer.json["baseUrl"]
    return answer.json["rootUrl"]


def test_the_document_names_the_host_that_the_client_asked(service: Service) -> None:
    assert root(service, Host="scores.news.example") == "http://scores.news.example/"
    assert root(service, Host="127.0.0.1:8123") == "http://127.0.0.1:8123/"
    assert root(service, Host="[::1]:8123") == "http://[::1]:8123/"
    document = service.app.test_client().get(PATH.replace("$", "%24")).json
    assert (document["servicePath"], document["batchPath"]) == ("", "batch")
    assert set(document["resources"]["comments"]["methods"]) == {"analyze", "suggestscore"}


def test_only_a_configured_proxy_is_believed(build: Build) -> None:
    service = build(TRUSTED_PROXIES="10.0.0.0/8")
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "commentanalyzer.googleapis.com"}
    assert root(service, "10.1.2.3", **forwarded) == "https://commentanalyzer.googleapis.com/"
    assert root(service, "10.1.2.3", Host="scores.example", X_Forwarded_Proto="https") == "https://scores.example/"
    assert root(service, "192.0.2.1", Host="scores.example", **forwarded) == "http://scores.example/"
    listed = {"X_Forwarded_Proto": "http, https", "X_Forwarded_Host": "evil.example, good.example"}
    assert root(service, "10.1.2.3", **listed) == "https://good.example/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"X_Forwarded_Host": 'x"><script>'},
        {"X_Forwarded_Host": "a b"},
        {"X_Forwarded_Host": "host/path"},
        {"X_Forwarded_Host": "user@host"},
        {"X_Forwarded_Host": "x" * 300},
        {"X_Forwarded_Proto": "javascript"},
    ],
)
def test_a_host_that_is_none_is_answered_with_our_own_address(build: Build, wrong: dict[str, str]) -> None:
    service = build(TRUSTED_PROXIES="10.0.0.0/8", PUBLIC_URL="https://comments.news.example")
    assert root(service, "10.1.2.3", **wrong) == "https://comments.news.example/"


def test_a_right_key_is_no_hindrance(service: Service) -> None:
    assert service.app.test_client().get(f"{PATH}&key={service.key}").status_code == 200
