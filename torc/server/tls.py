"""The certificate with which a server proves who it is."""

import logging
import ssl
from pathlib import Path
from typing import NoReturn

from torc.errors import TorcError

logger = logging.getLogger(__name__)


def tls_context(https: bool, certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What encrypts the connections of a server; None when it is to speak plain HTTP.

    Raises TorcError for files that cannot be used, and for half of what is needed: who names a certificate must not
    be served without.
    """
    if not https:
        if certificate or key:
            raise TorcError("a certificate or key for TLS is given, but not --https; add that, or leave them out")
        return None
    if certificate is None or key is None:
        raise TorcError("--https needs a certificate and its key; name the files with --tls-cert FILE --tls-key FILE")
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise TorcError(f"cannot read {path}: {error.strerror}") from error
    if key.stat().st_mode & 0o004:
        logger.warning("everybody on this machine can read the key in %s; `chmod 600` prevents that", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        reason = "they do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else "no PEM text of that kind"
        raise TorcError(f"cannot use the certificate {certificate} with the key {key}: {reason}") from error
    return context


def _no_password() -> NoReturn:
    """Instead of the question that OpenSSL would ask on the terminal."""
    raise TorcError("the key for TLS is protected by a password; give one that is not, readable by this user alone")
