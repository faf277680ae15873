"""How a client with Google's host name in its code comes to us without being changed.

What split DNS and a private certificate authority do in a network, this does on loopback: a certificate for Google's
name from an authority of the test's own, and name resolution that leads that name to our server's port.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "commentanalyzer.googleapis.com"

PYTHON = """
import socket

resolve, connect = socket.getaddrinfo, socket.socket.connect


def led(address):
    return ("127.0.0.1", PORT, *address[2:]) if address[0] in ("HOST", b"HOST") else address


socket.getaddrinfo = lambda host, port, *args, **kwargs: resolve(*led((host, port)), *args, **kwargs)
socket.socket.connect = lambda self, address: connect(self, led(address))
"""

NODE = """
const tls = require("node:tls");
const connect = tls.connect;
tls.connect = (...args) => {
  const options = args.find((one) => one && typeof one === "object");
  const name = options.servername || options.host;
  if (name !== "HOST") throw new Error(`a client asked for ${name}`);
  return connect.call(tls, { ...options, host: "127.0.0.1", port: PORT, servername: name });
};
"""


@dataclass(frozen=True)
class Authority:
    """A private certificate authority and a server certificate for `HOST` that it signed."""

    authority: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What the server speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_authority(folder: Path) -> Authority:
    """A fresh authority with a certificate, valid for a day."""
    found = Authority(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The newsroom's own authority")])
    only = x509.NameConstraints(permitted_subtrees=[x509.DNSName(HOST)], excluded_subtrees=None)
    root = _certificate(root_name, root_name, root_key, root_key, x509.BasicConstraints(ca=True, path_length=0), only)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    server = _certificate(name, root_name, key, root_key, x509.SubjectAlternativeName([x509.DNSName(HOST)]))
    found.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    found.certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return found


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()), critical=False)
    )
    for extension in extensions:
        critical = not isinstance(extension, x509.SubjectAlternativeName)
        draft = draft.add_extension(extension, critical=critical)
    return draft.sign(signed_by, hashes.SHA256())


def split_dns(folder: Path, port: int) -> Path:
    """A folder for PYTHONPATH and a file for `node -r` by which `HOST` leads to a port of this machine; the folder."""
    (folder / "sitecustomize.py").write_text(PYTHON.replace("HOST", HOST).replace("PORT", str(port)), encoding="utf-8")
    (folder / "route.js").write_text(NODE.replace("HOST", HOST).replace("PORT", str(port)), encoding="utf-8")
    return folder
