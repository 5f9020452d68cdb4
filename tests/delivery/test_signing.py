"""Standard Webhooks signatures, against the example that its specification publishes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openplate.delivery.signing import key_of, new_secret, signature_headers
from openplate.errors import RequestError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_published_example() -> None:
    """From the specification's own libraries: the same secret, id, time and body in each of them."""
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    headers = signature_headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, [b'{"test":', b" 2432232314}"])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_new_secrets_are_usable_and_different() -> None:
    assert len(key_of(new_secret())) == 32
    assert new_secret() != new_secret()
    assert new_secret().startswith("whsec_")


def test_the_prefix_may_be_left_out() -> None:
    assert key_of(SECRET) == key_of(SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "c2hvcnQ=", "whsec_" + "A" * 400, "кккк"])
def test_other_secrets_are_refused(secret: str) -> None:
    with pytest.raises(RequestError, match="secret"):
        key_of(secret)


def test_each_part_changes_the_signature() -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    later = datetime(2026, 3, 5, 0, 0, 1, tzinfo=UTC)
    variants = [
        signature_headers(SECRET, "a", at, [b"x"]),
        signature_headers(SECRET, "b", at, [b"x"]),
        signature_headers(SECRET, "a", later, [b"x"]),
        signature_headers(SECRET, "a", at, [b"y"]),
        signature_headers(new_secret(), "a", at, [b"x"]),
    ]
    assert len({each["webhook-signature"] for each in variants}) == len(variants)
