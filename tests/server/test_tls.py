"""A server that speaks TLS, and clients that trust it or do not."""

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPSConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Server

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,  # servers of their own, started and stopped
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes certificates, is not installed"),
]


class Pair(NamedTuple):
    certificate: Path
    key: Path

    def options(self) -> list[str]:
        return ["--https", "--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


def make_pair(folder: Path, name: str, *more: str) -> Pair:
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-out", str(pair.certificate), "-keyout", str(pair.key)]
    subprocess.run([*command, *names, *files, *(more or ["-nodes"])], check=True, capture_output=True)
    return pair


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "server")


def torc(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
    return subprocess.run(
        [sys.executable, "-m", "torc", *words], capture_output=True, text=True, env={**kept, **environ}, timeout=120
    )


def test_a_client_that_trusts_the_certificate_works_as_ever(
    pair: Pair, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(*pair.options())
    url = f"https://localhost:{server.port}/torc-service/v1"
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: over TLS\njobs:\n- {name: one, command: echo here}\n")
    trusting = {"SSL_CERT_FILE": str(pair.certificate), "TORC_API_URL": url}
    done = torc("run", str(spec), "--output-dir", str(tmp_path / "output"), **trusting)
    assert done.returncode == 0, done.stderr
    listed = torc("jobs", "list", "1", **trusting)
    assert "completed" in listed.stdout
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_does_not_trust_it_sends_nothing(pair: Pair, start_server: Callable[..., Server]) -> None:
    server = start_server(*pair.options())
    url = f"https://localhost:{server.port}/torc-service/v1"
    refused = torc("--url", url, "workflows", "list", SSL_CERT_FILE=os.devnull)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: the certificate of {url} is not trusted")
    assert "SSL_CERT_FILE" in refused.stderr


def test_plain_http_is_not_answered(pair: Pair, start_server: Callable[..., Server]) -> None:
    server = start_server(*pair.options())
    refused = torc("--url", f"http://localhost:{server.port}/torc-service/v1", "workflows", "list")
    assert refused.returncode in (1, 5)
    assert refused.stderr.startswith("Error: ")


def test_an_event_stream_is_noticed_to_have_been_left(pair: Pair, start_server: Callable[..., Server]) -> None:
    server = start_server(*pair.options(), "--threads", "4")  # room for one stream
    context = ssl.create_default_context(cafile=str(pair.certificate))
    made = HTTPSConnection("localhost", server.port, context=context, timeout=20)
    made.request(
        "POST", "/torc-service/v1/workflows", '{"name": "w", "user": "u"}', {"Content-Type": "application/json"}
    )
    made.getresponse().read()
    for _ in range(3):
        listener = HTTPSConnection("localhost", server.port, context=context, timeout=20)
        answer = None
        while answer is None or answer.status == 503:  # until the place of the one before is free
            listener.close()
            listener.request("GET", "/torc-service/v1/workflows/1/events/stream")
            answer = listener.getresponse()
        assert answer.status == 200
        assert answer.readline() == b": nothing new\n"
        listener.close()
    made.close()


def test_a_client_that_wants_a_private_server_is_told(pair: Pair, start_server: Callable[..., Server]) -> None:
    server = start_server(*pair.options())
    refused = torc("--standalone", "--database", str(server.database), "workflows", "list")
    assert refused.returncode == 1
    assert "with TLS; leave out --standalone and use --url https://" in refused.stderr


def refused(*options: str) -> str:
    """The one sentence of a server that does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "torc.server", "run", "--port", "0", *options],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 1, ended
    line: str = ended.stderr.splitlines()[-1]
    assert line.startswith("Error: ")
    return line


def test_what_cannot_be_used_is_one_sentence_and_nobody_is_served(pair: Pair, tmp_path: Path) -> None:
    database = ["--database", str(tmp_path / "torc.db")]
    other = make_pair(tmp_path, "other")
    locked = make_pair(tmp_path, "locked", "-passout", "pass:secret")
    empty = tmp_path / "empty"
    empty.write_text("")
    assert "--tls-cert" in refused("--https", *database)
    assert "but not --https" in refused("--tls-cert", str(pair.certificate), *database)
    assert "gone.pem: No such file" in refused(*Pair(tmp_path / "gone.pem", pair.key).options(), *database)
    assert "do not belong together" in refused(*Pair(pair.certificate, other.key).options(), *database)
    assert f"cannot use the certificate {empty}" in refused(*Pair(empty, pair.key).options(), *database)
    assert "protected by a password" in refused(*locked.options(), *database)
    assert not (tmp_path / "torc.db").exists()
