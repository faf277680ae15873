"""Clients that were written for Google's server, unmodified, against ours.

Google's Python client is a development dependency. The others are installed from their registries into a folder of the
test's own, and their tests say loudly when that cannot be done. Clients with Google's host name in their code come to
us as they would in a network with split DNS and a private certificate authority.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from service import labels
from tests.service.perspective.conftest import Build, Service, address, build, service, serving
from tests.service.perspective.doorway import HOST, make_authority, split_dns

__all__ = ["Build", "address", "build", "service"]  # fixtures

DISCOVERY = f"https://{HOST}/$discovery/rest?version=v1alpha1"
INSTALL_SECONDS = 240


# ---- Google's Python client, by our own address ----


@pytest.fixture
def google(service: Service, address: str) -> Iterator[Any]:
    """Google's client, built from the description that our server gives."""
    url = f"{address}/$discovery/rest?version=v1alpha1"
    with discovery.build(
        "commentanalyzer", "v1alpha1", developerKey=service.key, discoveryServiceUrl=url, static_discovery=False
    ) as client:
        yield client


def analyze(text: str, **more: Any) -> dict[str, Any]:
    """A request as Google's documentation writes it."""
    return {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, **more}


def test_googles_client_scores_a_comment(google: Any) -> None:
    answer = google.comments().analyze(body=analyze("you idiot", clientToken="t")).execute()
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"] == {"value": 0.5, "type": "PROBABILITY"}
    assert answer["clientToken"] == "t"


def test_googles_client_suggests_a_score(google: Any, service: Service) -> None:
    body = {"comment": {"text": "you idiot"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    assert google.comments().suggestscore(body={**body, "clientToken": "t"}).execute()["clientToken"] == "t"
    (label,) = labels.listed(service.db, "courier")
    assert label.scores == {"TOXICITY": 1.0}


def test_googles_client_reads_our_errors(google: Any, address: str) -> None:
    with pytest.raises(HttpError) as refused:
        google.comments().analyze(body=analyze("Guten Morgen, liebe Leute in der Stadt!", languages=["de"])).execute()
    assert refused.value.resp.status == 400
    assert refused.value.reason == "Attribute TOXICITY does not support request languages: de"
    assert refused.value.error_details[0]["errorType"] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
    assert str(refused.value).startswith(f"<HttpError 400 when requesting {address}/v1alpha1/comments:analyze?key=")


def test_googles_client_with_a_wrong_key_stops_at_the_description(address: str) -> None:
    url = f"{address}/$discovery/rest?version=v1alpha1"
    with pytest.raises(HttpError, match=r"API key not valid\. Please pass a valid API key\."):
        discovery.build(
            "commentanalyzer", "v1alpha1", developerKey="wrong", discoveryServiceUrl=url, static_discovery=False
        )


def test_googles_client_sends_batches_with_the_whole_comment_as_id(google: Any) -> None:
    answered: dict[str, Any] = {}
    texts = [f"you idiot number {number} — " + "and on and on, 😀 é " * 150 for number in range(60)] + [
        "",
        "a" * 20_481,
    ]

    def take(request_id: str, answer: Any, error: Any) -> None:
        answered[request_id] = answer or error

    batch = google.new_batch_http_request(callback=take)
    for text in texts:
        batch.add(google.comments().analyze(body=analyze(text)), request_id=text or "empty")
    batch.execute()
    assert list(answered) == [text or "empty" for text in texts]
    for text in texts[:60]:
        assert answered[text]["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0
    assert answered["empty"].reason == "Comment must be non-empty."
    assert answered["a" * 20_481].reason == "Comment text too long."


# ---- clients with Google's host name in their code ----


@dataclass(frozen=True)
class World:
    """A service that answers for Google's name, and a folder by which that name leads to it."""

    service: Service
    folder: Path
    authority: Path

    def python(self, script: str, packages: Path | None = None) -> Any:
        """What a Python script prints."""
        path = os.pathsep.join(str(folder) for folder in (self.folder, packages) if folder)
        return self._run([sys.executable, "-W", "ignore", "-c", script], PYTHONPATH=path)

    def node(self, script: str, packages: Path) -> Any:
        """What a Node script prints; it runs where its packages are."""
        return self._run(["node", "-r", str(self.folder / "route.js"), "-e", script], folder=packages)

    def _run(self, command: list[str], folder: Path | None = None, **more: str) -> Any:
        names = ("SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "NODE_EXTRA_CA_CERTS")
        environ = {**os.environ, **dict.fromkeys(names, str(self.authority)), **more, "KEY": self.service.key}
        done = subprocess.run(
            command, env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def world(service: Service, tmp_path: Path) -> Iterator[World]:
    """Google's name leads to our server."""
    authority = make_authority(tmp_path)
    with serving(service.app, authority.context()) as address:
        folder = split_dns(tmp_path, int(address.rpartition(":")[2]))
        yield World(service, folder, authority.authority)


def test_the_quick_start_of_googles_documentation_runs_as_it_stands(world: World) -> None:
    script = f"""
import json, os
from googleapiclient import discovery
client = discovery.build("commentanalyzer", "v1alpha1", developerKey=os.environ["KEY"],
                         discoveryServiceUrl="{DISCOVERY}", static_discovery=False)
request = {{
  "comment": {{"text": "friendly greetings from python, idiot"}},
  "requestedAttributes": {{"TOXICITY": {{}}}}
}}
print(json.dumps(client.comments().analyze(body=request).execute()))
"""
    answer = world.python(script)
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] == pytest.approx(0.2)
    assert answer["languages"] == ["en"]


def python_packages(folder: Path, *wanted: str) -> Path:
    """Python packages in a folder, without what they depend on; skips loudly."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *wanted]
    _install(command, folder, " ".join(wanted))
    return folder


def node_package(folder: Path, wanted: str) -> Path:
    """A Node package in a folder; skips loudly."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"NOT VERIFIED with {wanted}: node or npm is not installed")
    _install([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", wanted], folder, wanted)
    return folder


def _install(command: list[str], folder: Path, wanted: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"NOT VERIFIED with {wanted}: installing took over {INSTALL_SECONDS} s")
    if done.returncode:
        pytest.skip(f"NOT VERIFIED with {wanted}: it could not be installed")


def test_perspectiveapi_of_pypi(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    packages = python_packages(tmp_path_factory.mktemp("perspectiveapi"), "perspectiveapi==1.1.0")
    script = """
import json, os
from perspective.blocking import Perspective
from perspective import Attribute
score = Perspective(os.environ["KEY"]).score("you idiot", [Attribute.TOXICITY, Attribute.THREAT])
print(json.dumps([score.toxicity, score.threat]))
"""
    assert world.python(script, packages) == [0.5, 0.0]


def test_perspective_py_of_pypi_slices_our_errors(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It reads which attribute and which language to leave out from the words of the error, and the URL before them."""
    folder = python_packages(tmp_path_factory.mktemp("perspective_py"), "perspective.py==0.3.4", "pycountry")
    (folder / "matplotlib").mkdir()  # it draws charts as well; nothing of that is asked for here
    (folder / "matplotlib" / "__init__.py").write_text("def set_loglevel(level): pass\n")
    (folder / "matplotlib" / "pyplot.py").write_text("")
    script = """
import json, os
from perspective import Client
client = Client(os.environ["KEY"])
found = [client.analyze("you idiot", ["TOXICITY", "THREAT"], language="en")]
try:
    client.analyze("bonjour tout le monde", ["TOXICITY"], language="fr")
except Exception as error:
    found.append([type(error).__name__, str(error)])
print(json.dumps(found))
"""
    scores, error = world.python(script, folder)
    assert scores == {"TOXICITY": 50.0, "THREAT": 0.0}
    assert error == ["UnsupportedLanguage", 'French (fr) is not supported by "TOXICITY" attribute.']


def test_perspective_api_client_of_npm(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = node_package(tmp_path_factory.mktemp("npm"), "perspective-api-client@3.1.0")
    script = """
const Perspective = require("perspective-api-client");
const client = new Perspective({ apiKey: process.env.KEY });
(async () => {
  const found = [];
  found.push(await client.analyze("<b>you</b> idiot", { attributes: ["toxicity", "threat"] }));
  const french = { comment: { text: "bonjour" }, languages: ["fr"] };
  found.push(await client.analyze(french).catch((error) => error.message));
  found.push(await client.analyze("12345").catch((error) => error.message));
  console.log(JSON.stringify(found));
})();
"""
    scored, unsupported, undetected = world.node(script, folder)
    assert scored["attributeScores"]["TOXICITY"]["summaryScore"]["value"] == 0.5
    assert unsupported == "Attribute TOXICITY does not support request languages: fr"
    assert undetected == "Unable to detect language"


def test_googles_node_client(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`google.discoverAPI(url)` of `googleapis` is this class of `googleapis-common`, without 200 MB of other APIs."""
    folder = node_package(tmp_path_factory.mktemp("google"), "googleapis-common@7.2.0")
    script = f"""
const {{ Discovery }} = require("googleapis-common/build/src/discovery.js");
(async () => {{
  const make = await new Discovery({{ debug: false, includePrivate: false }}).discoverAPI("{DISCOVERY}");
  const client = make({{}}, {{ _options: {{}} }});
  const resource = {{ comment: {{ text: "you idiot" }}, requestedAttributes: {{ TOXICITY: {{}} }} }};
  const answer = await client.comments.analyze({{ key: process.env.KEY, resource }});
  const refused = await client.comments.analyze({{ key: "wrong", resource }}).catch((error) => error.message);
  console.log(JSON.stringify([answer.data, refused]));
}})();
"""
    answer, refused = world.node(script, folder)
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] == 0.5
    assert refused == "API key not valid. Please pass a valid API key."
