"""The serving engine on the real model: JSON of a schema, and log-probabilities of what it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tailorbird import engine
from tailorbird.engine import catalogue
from tailorbird.progress import silent
from tailorbird.replier import Message, Replier, ReplyOptions, reply

pytestmark = pytest.mark.slow
ASKED: list[Message] = [{"role": "user", "content": "Which department is it: my parcel is lost?"}]


@pytest.fixture(scope="module")
def replier() -> Iterator[Replier]:
    opened = engine.open_replier("base", engine.locate(catalogue.DEFAULT, silent))
    yield opened
    opened.close()


def test_an_answer_is_json_of_the_schema(replier: Replier) -> None:
    fields = {"department": {"enum": ["wardrobe", "postage"]}, "urgent": {"type": "boolean"}}
    schema = json.dumps({"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False})
    told = json.loads(reply(replier, ASKED, ReplyOptions(json_schema=schema, max_tokens=60)).text)
    assert told["department"] in ("wardrobe", "postage")
    assert isinstance(told["urgent"], bool)


def test_log_probabilities_are_of_what_is_written_likeliest_first(replier: Replier) -> None:
    pieces = list(replier.stream(ASKED, ReplyOptions(max_tokens=8, logprobs=3)))
    tokens = [token for piece in pieces for token in piece.logprobs]
    assert b"".join(bytes(one.bytes) for one in tokens).decode() == "".join(piece.text for piece in pieces)
    for one in tokens:
        assert [near.logprob for near in one.top] == sorted((near.logprob for near in one.top), reverse=True)
        assert one.top[0].token == one.token, "greedy takes the likeliest"
        assert one.logprob <= 0
    alone = list(replier.stream(ASKED, ReplyOptions(max_tokens=8, logprobs=0)))
    assert all(one.top == () for piece in alone for one in piece.logprobs)
    assert [one.token for piece in alone for one in piece.logprobs] == [one.token for one in tokens]
