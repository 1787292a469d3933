"""registry.system_errors: what the system says of a failure, where people read it."""

from __future__ import annotations

import errno
import os

import pytest

from registry.language import said, use
from registry.system_errors import cause_of

USUAL = [
    errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ENOSPC, errno.EROFS,
    errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG,
]  # fmt: skip


@pytest.mark.parametrize("number", USUAL)
def test_the_usual_causes_are_said_in_both_languages(
    number: int, request: pytest.FixtureRequest
) -> None:
    """English as the system says it; Indonesian from the catalogue."""
    cause = cause_of(OSError(number, "in the words of some system"))
    assert cause == os.strerror(number)
    request.addfinalizer(lambda: use("en"))
    use("id")
    assert said(cause) != cause


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError(None, "the engine says so"), "the engine says so"),
        (PermissionError(), "PermissionError"),
    ],
)
def test_of_any_other_the_words_it_has_are_passed_on(error: OSError, words: str) -> None:
    """Rather those than none."""
    assert cause_of(error) == words
