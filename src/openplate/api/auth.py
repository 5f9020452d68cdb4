"""Who asks: the header ``Authorization: Token <secret>``, refused in the words of Django REST."""

from __future__ import annotations

from openplate.api.exchange import Exchange
from openplate.api.ports import TokenPort
from openplate.errors import TokenError
from openplate.storage.records import Token

_LONGEST_SECRET = 200


async def caller(exchange: Exchange, service: TokenPort) -> Token | None:
    """Whose request it is; None where no token is asked for, whatever the header says.

    Raises:
        TokenError: a token is asked for, and none that counts is there.
    """
    return await token_of(exchange, service) if service.token_required else None


async def token_of(exchange: Exchange, service: TokenPort) -> Token:
    """The token of a request that needs one.

    Raises:
        TokenError: there is none that counts.
    """
    return await service.find_token(_secret(exchange.header("authorization")))


def _secret(header: str | None) -> str:
    words = (header or "").split(maxsplit=2)
    if not words or words[0].lower() != "token":
        raise TokenError("Authentication credentials were not provided.")
    if len(words) == 1:
        raise TokenError("Invalid token header. No credentials provided.")
    if len(words) > 2:
        raise TokenError("Invalid token header. Token string should not contain spaces.")
    if len(words[1]) > _LONGEST_SECRET or not words[1].isascii():
        raise TokenError("Invalid token.")
    return words[1]
