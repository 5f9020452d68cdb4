"""Which addresses may be connected to, whatever they are written as, and which URLs are taken."""

from __future__ import annotations

import contextlib
import threading
import time
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.delivery.addresses import AddressPolicy, Reach, check_url, reach_of, system_resolve
from openplate.errors import AddressRefused, DeliveryError, RequestError


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("172.15.255.255", Reach.PUBLIC),
        ("172.32.0.0", Reach.PUBLIC),
        ("100.63.255.255", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("127.0.0.1", Reach.PRIVATE),
        ("127.255.255.254", Reach.PRIVATE),
        ("10.0.0.2", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("172.31.255.255", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("198.18.0.1", Reach.PRIVATE),
        ("::1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("fec0::1", Reach.PRIVATE),
        ("0.0.0.0", Reach.NEVER),
        ("0.1.2.3", Reach.NEVER),
        ("169.254.169.254", Reach.NEVER),
        ("169.254.170.2", Reach.NEVER),
        ("100.100.100.200", Reach.NEVER),
        ("168.63.129.16", Reach.NEVER),
        ("192.0.0.192", Reach.NEVER),
        ("203.0.113.9", Reach.NEVER),
        ("224.0.0.1", Reach.NEVER),
        ("240.0.0.1", Reach.NEVER),
        ("255.255.255.255", Reach.NEVER),
        ("::", Reach.NEVER),
        ("fe80::1", Reach.NEVER),
        ("fd00:ec2::254", Reach.NEVER),
        ("fd20:ce::254", Reach.NEVER),
        ("ff02::1", Reach.NEVER),
        ("2001:db8::1", Reach.NEVER),
        ("100::1", Reach.NEVER),
        ("64:ff9b:1::7f00:1", Reach.NEVER),
        ("2001:0:808:808::1", Reach.NEVER),
        ("4000::1", Reach.NEVER),
    ],
)
def test_who_is_behind_an_address(address: str, reach: Reach) -> None:
    assert reach_of(ip_address(address)) is reach


def forms_of(address: IPv4Address) -> dict[str, IPv6Address]:
    number = int(address)
    return {
        "mapped": IPv6Address(0xFFFF << 32 | number),
        "compatible": IPv6Address(number),
        "translated": IPv6Address(0xFFFF << 48 | number),
        "nat64": IPv6Address(0x0064FF9B << 96 | number),
        "6to4": IPv6Address(0x2002 << 112 | number << 80 | 1),
        "isatap": IPv6Address(0x2606 << 112 | 0x5EFE << 32 | number),
        "isatap with the unique bit": IPv6Address(0x2606 << 112 | 0x02005EFE << 32 | number),
    }


@given(st.ip_addresses(v=4))
def test_an_ipv6_form_of_an_address_reaches_no_further_than_the_address(address: IPv4Address) -> None:
    for name, form in forms_of(address).items():
        if form == IPv6Address("::1"):
            continue
        expected = Reach.PUBLIC if reach_of(address) is Reach.PUBLIC else Reach.NEVER
        assert reach_of(form) is expected, name


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0"])
def test_ipv6_forms_of_inner_addresses_are_refused_even_where_private_ones_are_allowed(inner: str) -> None:
    policy = AddressPolicy(allow_private=True)
    assert [name for name, form in forms_of(IPv4Address(inner)).items() if policy.allows(form)] == []


@given(st.ip_addresses(v=6))
def test_nothing_is_public_that_python_holds_to_be_private(address: IPv6Address) -> None:
    if reach_of(address) is Reach.PUBLIC and address.sixtofour is None and address.ipv4_mapped is None:
        assert address.is_global or address.is_reserved


@given(st.ip_addresses(v=4))
def test_nothing_is_public_in_ipv4_that_python_holds_to_be_private(address: IPv4Address) -> None:
    if reach_of(address) is Reach.PUBLIC:
        assert address.is_global


def policy_for(*addresses: str, allow_private: bool = False) -> AddressPolicy:
    return AddressPolicy(allow_private, lambda _host, _port: addresses)


def test_private_addresses_are_allowed_by_setting_only() -> None:
    with pytest.raises(AddressRefused, match="private addresses are not allowed"):
        policy_for("10.0.0.1").allowed_addresses("inside.example", 80, 1)
    assert policy_for("10.0.0.1", allow_private=True).allowed_addresses("inside.example", 80, 1) == ["10.0.0.1"]


def test_link_local_is_never_allowed_with_or_without_a_zone() -> None:
    for address in ("169.254.169.254", "fe80::1", "fe80::1%eth0"):
        with pytest.raises(AddressRefused, match="never"):
            policy_for(address, allow_private=True).allowed_addresses("cloud.example", 80, 1)


def test_of_a_mixed_answer_only_what_is_allowed_remains() -> None:
    assert policy_for("10.0.0.1", "8.8.8.8", "::1").allowed_addresses("mixed.example", 80, 1) == ["8.8.8.8"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_systems_names_lead_to_refused_addresses_too(host: str) -> None:
    with pytest.raises(AddressRefused):
        AddressPolicy().allowed_addresses(host, 80, 5)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_odd_spellings_of_loopback_are_seen_through(host: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        import socket

        return [socket.inet_ntoa(socket.inet_aton(host))] if port else []

    with pytest.raises(AddressRefused):
        AddressPolicy(resolve=resolve).allowed_addresses(host, 80, 5)


def test_a_name_server_that_hangs_ends_at_the_deadline() -> None:
    release = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        release.wait(20)
        return []

    started = time.monotonic()
    try:
        with pytest.raises(DeliveryError, match="did not answer"):
            AddressPolicy(resolve=resolve).allowed_addresses("slow.example", 80, 0.1)
        assert time.monotonic() - started < 5
    finally:
        release.set()


def test_an_unknown_name_is_a_delivery_error() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(DeliveryError, match="not known"):
        AddressPolicy(resolve=resolve).allowed_addresses("nowhere.example", 80, 1)
    with pytest.raises(DeliveryError, match="no address"):
        policy_for().allowed_addresses("nowhere.example", 80, 1)


def test_the_system_resolves_loopback_once_for_each_address() -> None:
    assert system_resolve("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.2:8081/", "https://example.org", "HTTP://example.org/a?b=c", "http://[::1]:80/x"]
)
def test_urls_that_are_taken(url: str) -> None:
    assert check_url(url).hostname


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http:///path",
        "http://",
        "http://:80/",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:port/",
        "http://[::1/",
        "http://example.org/\r\nX-Evil: 1",
        "http://example.org/a b",
        "http://example.org\\@evil.example/",
        "http://example.org/\x00",
        "\thttp://example.org/",
        "http://example.org/" + "a" * 2048,
    ],
)
def test_urls_that_are_not_taken(url: str) -> None:
    with pytest.raises(RequestError):
        check_url(url)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_a_request_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.org/{text}"):
        with contextlib.suppress(RequestError):
            assert check_url(url).hostname
