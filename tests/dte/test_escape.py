from ansam.dte.escape import EscapeDetector

GUARD = 8000


def fed(*pieces):
    detector = EscapeDetector(43, GUARD)
    detector.start(0)
    for data, now in pieces:
        detector.receive(data, now)
    return detector


def test_three_characters_between_two_silences():
    detector = fed((b"+", 9000), (b"+", 10000), (b"+", 11000))
    assert detector.deadline() == 19000
    assert not detector.escaped(18999)
    assert detector.escaped(19000)
    assert not detector.escaped(30000)


def test_all_three_at_once():
    assert fed((b"+++", 8000)).escaped(16000)


def test_no_silence_before():
    assert fed((b"x", 1000), (b"+++", 8999)).deadline() is None
    assert fed((b"x+++", 9000)).deadline() is None


def test_no_silence_after():
    assert fed((b"+++", 9000), (b"x", 16999)).deadline() is None


def test_four_are_not_three():
    assert fed((b"++++", 9000)).deadline() is None


def test_a_slow_second_character_starts_anew():
    detector = fed((b"+", 9000), (b"++", 17500))
    assert detector.deadline() is None
    detector.receive(b"+++", 40000)
    assert detector.escaped(48000)


def test_off_above_127():
    detector = EscapeDetector(None, GUARD)
    detector.start(0)
    detector.receive(bytes([128] * 3), 9000)
    assert detector.deadline() is None
