"""What signalling and statistics say about the end of a call."""

import dataclasses

import pytest

from ansam.call.media_facts import MediaFacts
from ansam.call.sip_facts import call_ended, call_failed, refused_offer
from ansam.call.statistics import CallStatistics
from ansam.dce.causes import Source

HEAD = b"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"


@pytest.mark.parametrize(
    ("status", "reason", "text"),
    [
        (486, "Busy here", "486 Busy here: the far line is in use"),
        (404, "", "404 Not Found: nobody has this number"),
        (407, "Proxy Authentication Required", "the exchange does not accept our password"),
        (480, "", "480 Temporarily Unavailable: the far end is not registered, or does not answer"),
        (408, "", "the far end, or the way to it, is dead"),
        (488, "", "no codec that carries a modem"),
        (503, "All Lines In Use", "503 All Lines In Use: the exchange is congested or out of order"),
        (499, "Strange\r\n", "499 Strange??"),
    ],
)
def test_every_final_response_is_told_apart(status, reason, text):
    fact = call_failed(status, reason)
    assert text in fact.text
    assert fact.clause == f"RFC 3261 §21.{status // 100}"


def test_a_bye_with_a_cause_says_what_it_means():
    fact = call_ended('Q.850;cause=16;text="bye"', 200, by_us=False)
    text = 'far end hung up: BYE, Reason: Q.850;cause=16;text="bye" (normal call clearing)'
    assert fact == (text, "RFC 3326")
    assert "circuit" in call_ended("q.850 ; cause=34", 200, by_us=False).text
    assert call_ended("", 200, by_us=False).text == "far end hung up: BYE, without a Reason"
    assert call_ended("SIP;cause=200;text=x", 200, by_us=False).text.endswith("text=x")
    assert len(call_ended("x" * 10_000, 200, by_us=False).text) < 200
    assert "481 gone" in call_ended("gone", 481, by_us=True).text


@pytest.mark.parametrize(
    ("media", "text"),
    [
        (b"m=image 4000 udptl t38\r\na=T38FaxVersion:0\r\n", "T.38 fax instead of audio"),
        (b"m=audio 4000 RTP/AVP 100\r\na=rtpmap:100 X-NSE/8000\r\n", "Cisco's NSE pass-through"),
        (b"m=audio 4000 RTP/AVP 18\r\n", "audio of G729"),
        (b"m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n", "audio of iLBC"),
        (b"m=audio 0 RTP/AVP 8\r\n", "no medium at all"),
    ],
)
def test_what_a_refused_offer_wanted(media, text):
    assert refused_offer(HEAD + media) == (f"the far end asked for {text} (refused)", "RFC 3261 §14.2")


def test_an_offer_that_is_no_description():
    assert "can not be understood" in refused_offer(b"\x00\xff").text


def test_statistics_that_grow_are_said_once():
    zero = dict.fromkeys((f.name for f in dataclasses.fields(CallStatistics)), 0)
    finding = {"kind": "gain", "severity": "fault", "text": "6 dB"}
    facts = MediaFacts()
    assert facts.update(CallStatistics(**zero | {"findings": ()})) == []
    grown = CallStatistics(**zero | {"late": 3, "resyncs": 1, "findings": (finding,)})
    said = facts.update(grown)
    assert [noticed.source for noticed in said] == [Source.MEDIA, Source.MEDIA, Source.PATH]
    assert said[-1].text == "gain: 6 dB"
    assert said[-1].lasting
    assert facts.update(grown) == []
