"""What libpq and the server say of SSL, certificates and keys, in sentences for a user."""

from __future__ import annotations

import re

from agor_tui.config.places import PostgresPlace

# The certificates and keys are files of the user's, so that each is named. Braces are filled from the pattern's groups.
_SSL = (
    (
        r'private key file "(?P<file>[^"]*)" has group or world access',
        "cannot be reached: others may read the client's key {file}.",
        "Keep it to yourself: chmod 600 {file}",
    ),
    (
        r'certificate present, but not private key file "(?P<file>[^"]*)"',
        "cannot be reached: the client's key {file} does not exist.",
        "Check ssl.key (sslkey in a URL).",
    ),
    (
        r'could not load private key file "(?P<file>[^"]*)": key values mismatch',
        "cannot be reached: the client's key {file} does not belong to its certificate.",
        "Check ssl.cert and ssl.key (sslcert and sslkey in a URL).",
    ),
    (
        r'could not load private key file "(?P<file>[^"]*)"',
        "cannot be reached: the client's key {file} cannot be read.",
        "It must be a PEM file; a URL may name its passphrase as sslpassword.",
    ),
    (
        r'could not read certificate file "(?P<file>[^"]*)"',
        "cannot be reached: the client's certificate {file} cannot be read.",
        "It must be a PEM file; check ssl.cert (sslcert in a URL).",
    ),
    (
        r'root certificate file "(?P<file>[^"]*)" does not exist',
        "cannot be checked: the authority's certificate {file} does not exist.",
        "Check ssl.ca (sslrootcert in a URL; the word system there means the system's certificates).",
    ),
    (
        r'could not read root certificate file "(?P<file>[^"]*)"',
        "cannot be checked: the authority's certificate {file} cannot be read.",
        "It must be a PEM file; check ssl.ca (sslrootcert in a URL).",
    ),
    (
        r'server certificate for "(?P<names>[^"]*)"(?P<more> \([^)]*\))? does not match host name "(?P<host>[^"]*)"',
        "showed a certificate for {names}{more}, not for {host}.",
        "Connect to a host name that the certificate holds.",
    ),
    (
        r"certificate verify failed",
        "showed a certificate that is not trusted (checked against {authority}).",
        "Name the certificate of the authority that signed it as ssl.ca (sslrootcert in a URL), or see whether the"
        " server's has expired.",
    ),
    (
        r"requires a valid client certificate",
        "wants a certificate of the client.",
        "Name existing files as ssl.cert and ssl.key (sslcert and sslkey in a URL).",
    ),
    (
        r"certificate authentication failed",
        "does not accept the client's certificate for this user.",
        "Check the user, and that the certificate was made out to it.",
    ),
    (
        r"alert (unknown ca|(bad|unsupported) certificate|certificate )",
        "does not accept the client's certificate.",
        "Check ssl.cert (sslcert in a URL): the server may not know its authority, or it has expired.",
    ),
    (
        r"server does not support SSL",
        "has no SSL, which was asked for.",
        "Switch it on there, or where the way to the server is safe set ssl: false (sslmode=disable in a URL).",
    ),
    (
        r'invalid sslmode value: "(?P<mode>[^"]*)"',
        "cannot be reached: {mode} is no sslmode.",
        "Check PGSSLMODE, or the service file.",
    ),
    (
        r"weak sslmode",
        "cannot be checked: the system's certificates need the sslmode verify-full.",
        "Set rejectUnauthorized: true under ssl (sslmode=verify-full in a URL), or check PGSSLROOTCERT.",
    ),
)


def explain_ssl(place: PostgresPlace, text: str) -> tuple[str, str] | None:
    """Return the rest of the sentence that begins with the place, and a hint; None where ``text`` says other things."""
    authority = {None: "libpq's root certificates", "system": "the system's"}.get(place.ssl.ca, place.ssl.ca)
    for pattern, sentence, hint in _SSL:
        if found := re.search(pattern, text):
            words = {"authority": authority, **found.groupdict("")}
            return sentence.format(**words), hint.format(**words)
    return None
