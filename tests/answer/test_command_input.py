"""What waits for a program."""

from ansam.answer.command_input import COMMAND_INPUT_LIMIT, CommandInput


def test_no_more_is_taken_than_there_is_room_for() -> None:
    waiting = CommandInput()
    assert waiting.add(b"x" * (COMMAND_INPUT_LIMIT - 2)) == COMMAND_INPUT_LIMIT - 2
    assert waiting.add(b"abc") == 2
    assert waiting.add(b"c") == 0
    assert waiting.take() == b"x" * (COMMAND_INPUT_LIMIT - 2) + b"ab"
    assert waiting.take() == b""
    assert waiting.add(b"c") == 1
