import numpy as np

from ansam.dsp.past import Past


def test_the_newest_samples_and_which_never_arrived() -> None:
    past = Past(100)
    x = np.arange(250, dtype=np.float32)
    for at in range(0, 250, 10):
        past.put(x[at : at + 10], at == 200)
    assert past.end == 250
    samples, erased, first = past.since(195)
    assert first == 195
    np.testing.assert_array_equal(samples, x[195:])
    np.testing.assert_array_equal(erased, [0] * 5 + [1] * 10 + [0] * 40)


def test_older_than_what_is_kept() -> None:
    past = Past(100)
    past.put(np.zeros(30, np.float32), False)
    assert past.since(-50)[2] == 0
    past.put(np.ones(90, np.float32), False)
    samples, _, first = past.since(0)
    assert first == 20
    assert samples.size == 100
    assert samples[:10].sum() == 0


def test_the_present_is_empty() -> None:
    past = Past(10)
    past.put(np.ones(7, np.float32), False)
    samples, erased, first = past.since(7)
    assert (samples.size, erased.size, first) == (0, 0, 7)
