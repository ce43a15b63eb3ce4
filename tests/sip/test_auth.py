"""Digest authentication against published examples, and its two sides against each other."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansam.errors import LocalProtocolError, RemoteProtocolError
from ansam.sip.auth import MAX_NONCES, AuthServer, Check, Ha1, Verdict
from ansam.sip.digest import (
    Challenge,
    Credentials,
    DigestClient,
    answer_digest,
    digest,
    parse_challenges,
    parse_digest,
)
from ansam.sip.headers import Headers
from ansam.sip.message import Request

KEY = b"0123456789abcdef"
LOGIN = Credentials("07", "secret")


def server(**options: object) -> AuthServer:
    return AuthServer("ansam", {"07": "secret", "05": "x"}.get, KEY, **options)  # type: ignore[arg-type]


def client(credentials: Credentials = LOGIN) -> DigestClient:
    return DigestClient(credentials, random.Random(1))


def make_request(method: str = "INVITE", uri: str = "sip:05@ansam") -> Request:
    return Request(method, uri, Headers())


def learn(side: DigestClient, auth: AuthServer, now: float, stale: bool = False) -> bool:
    return side.learn(parse_challenges(auth.challenges(now, stale), False))


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        # RFC 7616 §3.9.1
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, response: str) -> None:
    ha1 = digest(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    qop = ("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth")
    assert answer_digest(algorithm, ha1, "GET", "/dir/index.html", nonce, qop) == response


def test_the_example_of_rfc_2617() -> None:
    ha1 = digest("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    qop = ("00000001", "0a4f113b", "auth")
    expected = "6629fae49393a05397450978507c4ef1"
    assert answer_digest("MD5", ha1, "GET", "/dir/index.html", nonce, qop) == expected


@pytest.mark.parametrize("algorithms", [("SHA-256", "MD5"), ("MD5", "SHA-256"), ("MD5",), ("SHA-256",)])
@pytest.mark.parametrize("hashed", [False, True])
def test_both_sides_agree(algorithms: tuple[str, ...], hashed: bool) -> None:
    secrets = Ha1(digest("MD5", "07", "ansam", "secret"), digest("SHA-256", "07", "ansam", "secret"))
    auth = AuthServer("ansam", {"07": secrets if hashed else "secret"}.get, KEY, algorithms=algorithms)
    side = client()
    assert learn(side, auth, 0.0)
    signed = side.sign(make_request())
    assert auth.check(signed, 1.0) == Check(Verdict.ACCEPTED, "07")
    assert auth.check(side.sign(make_request("BYE", "sip:99@ansam")), 2.0).verdict is Verdict.ACCEPTED
    strongest = "SHA-256" if "SHA-256" in algorithms else "MD5"
    assert f"algorithm={strongest}" in signed.headers.first("Authorization")


def test_what_is_not_accepted() -> None:
    auth, side = server(), client()
    assert auth.check(make_request(), 0.0) == Check(Verdict.MISSING)
    learn(side, auth, 0.0)
    good = side.sign(make_request())
    value = good.headers.first("Authorization")
    cases = {
        "other method": Request("BYE", good.uri, good.headers),
        "other target": Request("INVITE", "sip:06@ansam", good.headers),
        "other host": Request("INVITE", "sip:05@other", good.headers),
        "no count": Request(
            "INVITE", good.uri, Headers.of([("Authorization", value.replace("nc=00000001", "nc=0"))])
        ),
        "auth-int": Request(
            "INVITE", good.uri, Headers.of([("Authorization", value.replace("qop=auth", "qop=auth-int"))])
        ),
        "wrong user": client(Credentials("05", "secret")),
        "unknown user": client(Credentials("99", "secret")),
        "wrong password": client(Credentials("07", "Secret")),
    }
    for name, case in cases.items():
        if isinstance(case, DigestClient):
            learn(case, auth, 0.0)
            case = case.sign(make_request())
        assert auth.check(case, 1.0).verdict is Verdict.WRONG, name
    for other in (
        value.replace('realm="ansam"', 'realm="x"'),
        value.replace("Digest ", "Basic "),
        "Digest x",
    ):
        request = Request("INVITE", good.uri, Headers.of([("Authorization", other)]))
        assert auth.check(request, 1.0).verdict is Verdict.MISSING
    assert auth.check(good, 1.0).verdict is Verdict.ACCEPTED


def test_an_algorithm_that_was_not_offered_is_not_accepted() -> None:
    side = client()
    learn(side, server(algorithms=("MD5",)), 0.0)
    assert server(algorithms=("SHA-256",)).check(side.sign(make_request()), 0.0).verdict is Verdict.WRONG


def test_a_nonce_grows_stale_and_a_forged_one_is_too() -> None:
    auth, side = server(nonce_life=10.0), client()
    learn(side, auth, 0.0)
    assert auth.check(side.sign(make_request()), 9.9).verdict is Verdict.ACCEPTED
    assert auth.check(side.sign(make_request()), 10.1).verdict is Verdict.STALE
    assert not learn(side, auth, 11.0)  # without stale=true a second challenge means: refused
    assert learn(side, auth, 11.0, stale=True)
    assert auth.check(side.sign(make_request()), 11.0).verdict is Verdict.ACCEPTED
    restarted = AuthServer("ansam", {"07": "secret"}.get, b"another key of the server")
    assert restarted.check(side.sign(make_request()), 11.0).verdict is Verdict.STALE
    for nonce in ("", "x", "AAAA", "é", "=" * 10):
        header = f'Digest username="07", realm="ansam", nonce="{nonce}", uri="sip:05@ansam", response="0"'
        request = Request("INVITE", "sip:05@ansam", Headers.of([("Authorization", header)]))
        assert auth.check(request, 0.0).verdict is Verdict.STALE


def test_a_count_is_good_once_and_may_come_out_of_order() -> None:
    auth, side = server(), client()
    learn(side, auth, 0.0)
    requests = [side.sign(make_request()) for _ in range(100)]
    order = [*range(0, 60, 2), *range(59, 0, -2), 99]
    assert all(auth.check(requests[i], 1.0).verdict is Verdict.ACCEPTED for i in order)
    assert all(auth.check(requests[i], 1.0).verdict is Verdict.STALE for i in order)
    assert auth.check(requests[30], 1.0).verdict is Verdict.STALE
    assert auth.check(requests[98], 1.0).verdict is Verdict.ACCEPTED


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    auth = server(algorithms=("MD5",))
    challenge = parse_challenges(auth.challenges(0.0), False)[0]
    side = client()
    side.learn([Challenge(challenge.realm, challenge.nonce)])
    old_style = side.sign(make_request())
    assert "qop" not in old_style.headers.first("Authorization")
    assert auth.check(old_style, 1.0).verdict is Verdict.ACCEPTED
    assert auth.check(old_style, 1.0).verdict is Verdict.STALE


def test_memory_is_bounded_and_forgetting_opens_no_replay() -> None:
    auth = server(algorithms=("MD5",), nonce_life=1e6)
    first = client()
    learn(first, auth, 0.0)
    kept = first.sign(make_request())
    assert auth.check(kept, 0.0).verdict is Verdict.ACCEPTED
    for number in range(MAX_NONCES + 10):
        side = client()
        learn(side, auth, 1.0 + number)
        assert auth.check(side.sign(make_request()), 1.0 + number).verdict is Verdict.ACCEPTED
    assert len(auth._used) <= MAX_NONCES
    assert auth.check(kept, MAX_NONCES + 20.0).verdict is Verdict.STALE
    assert auth.check(first.sign(make_request()), MAX_NONCES + 20.0).verdict is Verdict.STALE


def test_challenges_of_two_realms_are_both_answered() -> None:
    side = client()
    assert side.learn([Challenge("a", "1", proxy=True)])
    assert side.learn([Challenge("b", "2", qop=("auth", "auth-int"), opaque='o"q')])
    signed = side.sign(make_request()).headers
    assert parse_digest(signed.first("Proxy-Authorization"))["realm"] == "a"
    assert parse_digest(signed.first("Authorization"))["opaque"] == 'o"q'
    again = side.sign(Request("INVITE", "sip:05@ansam", signed)).headers
    assert len(again.all("Authorization")) == len(again.all("Proxy-Authorization")) == 1
    side.forget()
    assert not side.sign(make_request()).headers


def test_what_cannot_be_satisfied_is_no_challenge() -> None:
    values = [
        'Digest realm="r", nonce="n", algorithm=AKAv1-MD5',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest realm="r", realm="s", nonce="n"',
    ]
    assert not client().learn(parse_challenges(values, False))


def test_a_key_that_is_too_short_and_an_unknown_algorithm_are_our_fault() -> None:
    with pytest.raises(LocalProtocolError):
        AuthServer("r", {}.get, b"short")
    with pytest.raises(LocalProtocolError):
        server(algorithms=("SHA-512",))
    with pytest.raises(LocalProtocolError):
        server(algorithms=())


def test_secrets_do_not_show() -> None:
    assert "secret" not in repr(LOGIN)
    assert "aa" not in repr(Ha1("aa", "aa"))


@given(st.text(max_size=80))
def test_random_credentials_are_judged_without_a_fault(text: str) -> None:
    auth = server()
    for value in (text, "Digest " + text, f'Digest realm="ansam", {text}'):
        request = Request("INVITE", "sip:05@ansam", Headers.of([("Authorization", value)]))
        assert auth.check(request, 0.0).verdict is not Verdict.ACCEPTED
        with contextlib.suppress(RemoteProtocolError):
            parse_digest(value)
