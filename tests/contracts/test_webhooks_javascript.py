"""The published JavaScript library judges our signatures, before, during and after a rotation.

Needs node, npm and a package registry to install the library into a temporary folder; says loudly when it is skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.models import new_id
from service.webhooks import signing
from service.webhooks.payloads import message_id

LIBRARY = "standardwebhooks@1.0.0"
BODY = json.dumps({"type": "comment.approved", "data": {"id": "c1", "name": "Ünï"}}, ensure_ascii=False)

JUDGE = """
const { Webhook } = require("standardwebhooks");
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const accepted = ({ secret, headers, body }) => {
  try { new Webhook(secret).verify(body, headers); return true; } catch (error) {
    if (error.name !== "WebhookVerificationError" && error.constructor.name !== "WebhookVerificationError") throw error;
    return false;
  }
};
console.log(JSON.stringify(cases.map(accepted)));
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("javascript")
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("NOT VERIFIED with the JavaScript library: node or npm is not installed")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", LIBRARY]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"NOT VERIFIED with the JavaScript library: npm took over 120 s to install {LIBRARY}")
    if done.returncode:
        pytest.skip(f"NOT VERIFIED with the JavaScript library: npm could not install {LIBRARY}")
    return folder


def judged(folder: Path, cases: list[dict[str, Any]]) -> list[bool]:
    done = subprocess.run(
        ["node", "-e", JUDGE],
        cwd=folder,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    verdicts: list[bool] = json.loads(done.stdout)
    return verdicts


def case(secret: str, headers: dict[str, str], body: str = BODY) -> dict[str, Any]:
    return {"secret": secret, "headers": headers, "body": body}


def sent(*keys: str, at: datetime | None = None) -> dict[str, str]:
    return signing.headers(keys, message_id(new_id()), at or datetime.now(UTC), BODY.encode())


def test_a_rotation_is_accepted_before_during_and_after_by_whoever_has_a_live_secret(installed: Path) -> None:
    old, new, (private, _) = signing.new_secret(), signing.new_secret(), signing.new_keypair()
    deliveries = [sent(old), sent(new, old), sent(new), sent(private, new)]
    assert judged(installed, [case(old, headers) for headers in deliveries]) == [True, True, False, False]
    assert judged(installed, [case(new, headers) for headers in deliveries]) == [False, True, True, True]


def test_a_changed_body_a_changed_id_and_an_old_attempt_are_refused(installed: Path) -> None:
    secret = signing.new_secret()
    headers = sent(secret)
    cases = [
        case(secret, headers),
        case(secret, headers, BODY.replace("c1", "c2")),
        case(secret, headers | {"webhook-id": message_id(new_id())}),
        case(secret, sent(secret, at=datetime.now(UTC) - timedelta(minutes=6))),
    ]
    assert judged(installed, cases) == [True, False, False, False]
