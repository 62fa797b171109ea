from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from tailorbird.knowledge.blocks import Block
from tailorbird.knowledge.chunking import LIMIT, TARGET, chunk, size
from tailorbird.knowledge.markdown import blocks_of_markdown

WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)
TEXTS = st.lists(WORDS, min_size=1, max_size=120).map(" ".join)
HEADINGS = st.lists(st.sampled_from(["Returns", "Late", "Fees"]), max_size=2).map(tuple)
BLOCKS = st.lists(
    st.builds(Block, TEXTS, HEADINGS, st.sampled_from(["text", "item", "row", "pair"]), st.sampled_from([None, 1, 2])),
    max_size=12,
)


def letters(text: str) -> str:
    return "".join(text.split())


@given(BLOCKS)
def test_no_text_is_lost_and_all_stays_in_order(blocks: list[Block]) -> None:
    told = "".join(letters(made.text) for made in chunk(blocks))
    assert told == "".join(letters(block.text) for block in blocks)


@given(BLOCKS, TEXTS, st.integers(5, TARGET), st.integers(TARGET, LIMIT))
def test_no_passage_is_over_the_limit(blocks: list[Block], lead: str, target: int, limit: int) -> None:
    blocks = [replace(block, lead=lead) for block in blocks]
    assert all(size(made.text) <= limit for made in chunk(blocks, target, limit))


@given(BLOCKS)
def test_every_passage_stands_under_its_headings(blocks: list[Block]) -> None:
    def sections(pieces: list[tuple[tuple[str, ...], str]]) -> list[tuple[tuple[str, ...], str]]:
        return [(headings, "".join(letters(t) for _, t in group)) for headings, group in groupby(pieces, key=lambda one: one[0])]

    made = sections([(one.headings, one.text) for one in chunk(blocks)])
    assert made == sections([(one.headings, one.text) for one in blocks])


@given(st.text(max_size=8000))
def test_any_text_is_cut_within_the_limit(text: str) -> None:
    made = chunk([Block(text)] if text.strip() else [])
    assert all(0 < size(one.text) <= LIMIT for one in made)
    assert letters("".join(one.text for one in made)) == letters(text)


@given(st.text(max_size=600))
def test_markdown_keeps_every_word(text: str) -> None:
    blocks = blocks_of_markdown(f"# One\n\n{text}\n\nlast words")
    assert blocks[-1].text.endswith("last words") or "last words" in blocks[-1].text
    assert all(block.text.strip() for block in blocks)


def test_what_a_torn_list_or_table_needs_is_repeated() -> None:
    lead = "The assistant hands over when:"
    items = [Block(f"- reason {number} " + "word " * 30, ("People",), "item", lead=lead) for number in range(5)]
    made = chunk([Block(lead, ("People",)), *items])
    assert len(made) > 1
    assert all(one.text.startswith(lead) and one.text.count(lead) == 1 for one in made)


def test_a_question_stays_with_its_answer_and_alone() -> None:
    pairs = [Block(f"Question {n}?\nAnswer {n}.", (), "pair", lead=f"Question {n}?") for n in range(3)]
    assert [one.text for one in chunk(pairs)] == [one.text for one in pairs]
    long = Block("Why?\n" + "Because it is so. " * 120, (), "pair", lead="Why?")
    made = chunk([long])
    assert len(made) > 1
    assert all(one.text.startswith("Why?") for one in made)


def test_languages_without_spaces_are_cut_as_well() -> None:
    made = chunk([Block("返品は二十一日以内にお願いします。" * 300)])
    assert len(made) > 2
    assert all(one.text.endswith("。") for one in made)
