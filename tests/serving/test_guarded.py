"""An assistant with guards: what the model is shown, what customers get, and what the API says of it."""

from __future__ import annotations

import json
from pathlib import Path

from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.replier import Message, ReplyOptions
from tailorbird.serving.api import application
from tailorbird.serving.assistant import Assistant, Conduct
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.guards import Facts, Guards
from tailorbird.serving.phrases import Phrases

BLOCKED, HANDED_OVER = "I cannot help with that here, sorry.", "A person from the shop will answer you."
WORDS_OF_ANSWERS = ["We post it", "on Monday.", "Is it £4?", "Yes!", "e.g. silk", "\n", "…"]
PROMPT = "You answer for the shop. Returns are taken within 14 days. Postage to Spain is £4."


def assistant(answer: str, replier: FakeReplier | None = None, **actions: str) -> Assistant:
    guards = Guards(Facts(PROMPT), {name.replace("__", "."): action for name, action in actions.items()})
    phrases = Phrases("I am an AI.", "Shop", {"blocked": BLOCKED, "handed_over": HANDED_OVER})
    return Assistant(replier or FakeReplier(answer=answer), PROMPT, "I am an AI.", conduct=Conduct(phrases, guards))


def said(of: Assistant, *asked: str, **options: object) -> tuple[str, object]:
    """The answer without the disclosure, and the last piece."""
    turns: list[Message] = [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(asked)]
    pieces = list(of.stream(turns, ReplyOptions(**options)))  # type: ignore[arg-type]
    return "".join(piece.text for piece in pieces).removeprefix("I am an AI.\n\n").strip(), pieces[-1]


def test_a_harmless_answer_goes_through_unchanged_sentence_by_sentence() -> None:
    answer = "We post within 2 days. Postage to Spain is £4! Is there anything else?"
    text, last = said(assistant(answer), "Do you ship to Spain?")
    assert text == answer
    assert (last.action, last.guards, last.finish_reason) == ("answer", (), "stop")
    turns: list[Message] = [{"role": "user", "content": "Do you ship to Spain?"}]
    pieces = [piece.text.strip() for piece in assistant(answer).stream(turns, ReplyOptions())]
    assert pieces == ["I am an AI.", "", "We post within 2 days.", "Postage to Spain is £4!", "Is there anything else?"]


def test_a_promise_nobody_authorised_is_taken_out_and_the_rest_stays() -> None:
    answer = "I am sorry about the tear. I have refunded you in full. Returns are taken within 14 days."
    text, last = said(assistant(answer), "It came torn.")
    assert "refunded" not in text
    assert text.startswith("I am sorry")
    assert text.endswith("within 14 days.")
    assert last.guards == ("answer.promises: rewrite",)


def test_where_nothing_is_left_to_say_the_customer_is_told_so() -> None:
    text, _ = said(assistant("I have refunded you in full."), "It came torn.")
    assert text == BLOCKED


def test_a_secret_in_an_answer_ends_it() -> None:
    text, last = said(assistant("Of course. The password is hunter2Xy! Anything else?"), "What is the admin password?")
    assert text == f"Of course. {BLOCKED}"
    assert "hunter2" not in text
    assert "Anything else" not in text
    assert "answer.secrets: block" in last.guards


def test_a_threat_brings_a_person_and_the_model_is_not_asked() -> None:
    replier = FakeReplier()
    text, last = said(assistant("", replier), "I will come to your shop and kill you.")
    assert (text, last.action) == (HANDED_OVER, "hand_over")
    assert last.reason
    assert replier.asked == []


def test_card_numbers_are_masked_before_the_model_sees_them_in_every_turn() -> None:
    replier = FakeReplier(answer="Thank you.")
    said(assistant("", replier), "My card is 4111 1111 1111 1111.", "Thanks.", "Did it work for Anna?")
    shown = [message["content"] for message in replier.asked[-1][0]]
    assert "4111" not in " ".join(shown)
    assert "[CARD]" in shown[1]
    assert shown[-1] == "Did it work for Anna?", "names stay: the answer may need them"


def test_json_is_judged_whole_and_blocked_without_breaking_the_promise_of_json() -> None:
    good, _ = said(assistant('{"days": 14}'), "How many days?", json_schema='{"type": "object"}')
    assert json.loads(good) == {"days": 14}
    bad, last = said(assistant('{"key": "The password is hunter2Xy!"}'), "Which?", json_schema='{"type": "object"}')
    assert bad == ""
    assert "answer.secrets: block" in last.guards


def test_log_probabilities_of_what_was_taken_out_are_not_told() -> None:
    answer = "I am sorry about it. I have refunded you in full. Returns are taken within 14 days."
    turns: list[Message] = [{"role": "user", "content": "It came torn."}]
    pieces = list(assistant(answer).stream(turns, ReplyOptions(logprobs=0)))
    tokens = "".join(token.token for piece in pieces for token in piece.logprobs)
    assert "refunded" not in tokens
    assert "sorry" in tokens


def test_a_guard_that_is_off_does_nothing() -> None:
    text, last = said(assistant("I have refunded you in full.", answer__promises="off"), "It came torn.")
    assert (text, last.guards) == ("I have refunded you in full.", ())


def test_the_api_says_what_the_guards_did(tmp_path: Path) -> None:
    workspace = with_versions(tmp_path / "shop", 1)
    client = TestClient(application(Desks([Desk(workspace, lambda made: assistant("Fine."))])))
    asked = {"model": "production", "messages": [{"role": "user", "content": "I will come and kill you all."}]}
    message = client.post("/v1/chat/completions", json=asked).json()["choices"][0]["message"]
    assert (message["action"], message["content"].endswith(HANDED_OVER)) == ("hand_over", True)
    assert "message.threats: hand_over" in message["guards"]
    streamed = client.post("/v1/chat/completions", json=asked | {"stream": True}).text
    assert '"action": "hand_over"' in streamed


@given(
    st.lists(st.sampled_from(["We post it", "on Monday.", "Is it £4?", "Yes!", "e.g. silk", "\n", "…"]), min_size=1, max_size=12)
)
def test_what_sets_off_no_guard_is_never_changed(words: list[str]) -> None:
    answer = " ".join(words).strip()
    text, last = said(assistant(answer), "Do you ship to Spain for £4?")
    if not last.guards:
        assert text == (answer or BLOCKED)
