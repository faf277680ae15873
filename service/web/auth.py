"""Who is asking: a reader by bearer token, a host by API key; and which origins may write.

Public reads are open to every page without credentials. A write from a browser is judged by its exact `Origin`, which
must be registered for the site; a request without one is judged by its token alone.
"""

from __future__ import annotations

from flask import Response, g, request

from service import sites
from service.errors import OriginRefused, Unauthenticated
from service.identity import api_keys, tokens
from service.identity.api_keys import Host
from service.identity.readers import Terms
from service.identity.tokens import Reader
from service.web.context import client_network, now, parts

EXPOSED = "ETag, Location, Retry-After, RateLimit, RateLimit-Policy"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
PREFLIGHT_SECONDS = "7200"


def bearer() -> str | None:
    """The bearer token of this request, if it carries one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def reader() -> Reader:
    """The reader of this request; raises `Unauthenticated`, or `OriginRefused` for a page that may not write."""
    known: Reader | None = g.get("reader")
    if known is not None:
        return known
    token = bearer()
    if token is None:
        raise Unauthenticated("This needs a commenter token as a bearer token.")
    found = tokens.read(parts().settings.signing_keys, token, now=now())
    check_origin(found.site_id)
    g.reader = found
    return found


def reader_terms() -> Terms:
    """On which terms this installation gives tokens to readers."""
    settings = parts().settings
    policy = parts().judges.under().policy
    return Terms(settings.signing_keys, settings.token_life, settings.renewal_life, policy, settings.guest_proof)


def host(scope: str, site_id: str | None = None) -> Host:
    """The host that this request's API key speaks for, which must carry `scope` (and be of `site_id`)."""
    token = bearer()
    if token is None:
        raise Unauthenticated("This needs an API key as a bearer token.")
    found = api_keys.authenticate(parts().database, token, scope, site_id=site_id, now=now())
    _count_once(found)
    return found


def _count_once(key: Host) -> None:
    """Count a request against the limit of its key, however often it is asked whose it is."""
    if not g.get("host_counted"):
        g.host_counted = True
        parts().throttle.count("host", author=key.key_id, network=client_network(), site=key.site_id)


def check_origin(site_id: str) -> None:
    """Refuse a write from a page whose origin the site has not registered; remember the origin for the answer."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    if origin != parts().settings.public_url and not sites.is_origin_of(
        sites.find_site(parts().database, site_id), origin
    ):
        raise OriginRefused("The origin of this page is not registered for this site.")
    g.origin = origin


def add_cors(answer: Response) -> Response:
    """CORS for `/api/v1`: any page reads without credentials; a page that may write is answered by its own name."""
    if not request.path.startswith("/api/v1/"):
        return answer
    origin = g.get("origin")
    answer.headers["Access-Control-Allow-Origin"] = origin or "*"
    if origin:
        answer.headers.add("Vary", "Origin")
    answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        answer.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return answer
