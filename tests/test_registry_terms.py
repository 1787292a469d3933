"""The words of the registry: how a reference is compared."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from registry.terms import batch_id, batch_key, batch_stream, normalised_reference


@given(st.text(st.characters(max_codepoint=127)) | st.text(st.characters(codec="utf-8")))
def test_a_reference_is_compared_composed_folded_and_without_spaces(reference: str) -> None:
    """Of ASCII in less time, and the very same."""
    folded = unicodedata.normalize("NFKC", reference).casefold()
    expected = re.sub(r"\s+", "", unicodedata.normalize("NFKC", folded))
    assert normalised_reference(reference) == expected


@given(*[st.text(st.characters(codec="utf-8"))] * 3)
def test_a_stream_is_found_by_the_key_of_its_batch(area: str, reference: str, part: str) -> None:
    """The digits of its UUID, version 5, without making one."""
    assert batch_stream(batch_key(area, reference, part)) == batch_id(area, reference, part).hex
