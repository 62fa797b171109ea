"""A judge behind OpenAI's protocol, on 127.0.0.1: what it prefers, whether the order sways it, whether it agrees with people."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import Upstream

from tailorbird import engine
from tailorbird.artifacts import Conversation, Turn
from tailorbird.errors import ModelError
from tailorbird.evaluating.answering import Question, questions
from tailorbird.evaluating.judging import PEOPLE, judging
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.progress import silent
from tailorbird.replier import ReplyOptions, reply
from tailorbird.workspace import Workspace

Answer = Callable[[str], str]
ANSWERS = re.compile(r"<answer A>\n(.*)\n</answer A>\n<answer B>\n(.*)\n</answer B>", re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("JUDGE_KEY", "secret")
    (tmp_path / "tailorbird.yaml").write_text(
        "business: {name: Test shop}\nsystem_prompt: You answer.\nsources: [{path: none.jsonl}]\n"
        f"evaluation: {{judge: {{url: 'http://127.0.0.1:{upstream.server_port}/v1', model: wise, key_variable: JUDGE_KEY}}}}\n"
    )
    return Workspace(tmp_path)


def asked(number: int) -> list[Question]:
    said = [
        Conversation(
            id=f"c-{n}",
            source="test",
            turns=(
                Turn(role="system", content="You answer."),
                Turn(role="user", content=f"Question {n}?"),
                Turn(role="assistant", content="Yes."),
            ),
        )
        for n in range(number)
    ]
    return questions(said, number)


def longest(text: str) -> str:
    found = ANSWERS.search(text)
    assert found
    a, b = map(len, found.groups())
    return f"One says more.\nVerdict: {'tie' if a == b else 'A' if a > b else 'B'}"


def judged_by(workspace: Workspace, upstream: Upstream, answer: Answer, said: dict[str, list[str]], folder: str = "kept"):
    upstream.answer = answer
    return judging(workspace, asked(len(said["base"])), said, workspace.folder / folder, silent)


SAID = {"base": ["no"] * 6 + ["a long answer"] * 2, "tuned": ["a longer answer"] * 6 + ["short", "a long answer"]}


def test_what_is_better_in_both_orders_is_preferred(workspace: Workspace, upstream: Upstream) -> None:
    found = judged_by(workspace, upstream, longest, SAID)
    assert set(found) == {"tuned-base"}
    one = found["tuned-base"]
    assert one.preferred is not None
    assert one.preferred.value == pytest.approx((6 + 0.5) / 8), "six wins, a loss, and a pair that is the same"
    assert one.preferred.low < one.preferred.value < one.preferred.high
    assert (one.pairs, one.unreadable) == (8, 0)
    assert one.swayed is not None
    assert one.swayed.value == 0
    assert upstream.asked == 14, "what is the same is not asked"


def test_a_judge_that_always_takes_the_first_prefers_nothing_and_is_told_of(workspace: Workspace, upstream: Upstream) -> None:
    one = judged_by(workspace, upstream, lambda text: "Verdict: **A**", SAID)["tuned-base"]
    assert one.preferred is not None
    assert one.swayed is not None
    assert one.preferred.value == 0.5
    assert one.swayed.value == 1
    assert one.swayed_to_the_first == 1


def test_a_choice_that_the_order_changes_is_half_also_where_one_is_a_tie(workspace: Workspace, upstream: Upstream) -> None:
    def first_or_tie(text: str) -> str:
        found = ANSWERS.search(text)
        assert found
        return "Verdict: A" if len(found[1]) > len(found[2]) else "Verdict: it's a tie"

    one = judged_by(workspace, upstream, first_or_tie, SAID)["tuned-base"]
    assert one.preferred is not None
    assert one.swayed is not None
    assert (one.preferred.value, one.swayed.value, one.swayed_to_the_first) == (0.5, 1.0, 0.0)


def test_what_people_compared_is_sent_without_personal_data(workspace: Workspace, upstream: Upstream) -> None:
    seen: list[str] = []

    def reading(text: str) -> str:
        seen.append(text)
        return "Verdict: A"

    question = (Turn(role="user", content="Write to jane.doe@mail.example, please."),)
    told = Feedback(
        kind="pair", messages=question, completion="We write to jane.doe@mail.example.", rejected="No.", conversation="c"
    )
    FeedbackStore(workspace).add([told])
    judged_by(workspace, upstream, reading, SAID)
    assert not any("jane.doe" in text for text in seen)
    assert sum("<EMAIL_1>" in text for text in seen) == 2
    kept = next((workspace.folder / "kept").glob("*.jsonl")).read_text()
    assert told.id in kept, "found again when the customer is erased"


def test_what_cannot_be_read_counts_nowhere(workspace: Workspace, upstream: Upstream) -> None:
    one = judged_by(workspace, upstream, lambda text: "I like both, verdict pending.", SAID)["tuned-base"]
    assert (one.pairs, one.unreadable) == (8, 7)
    one = judged_by(workspace, upstream, lambda text: "b", {name: texts[:6] for name, texts in SAID.items()}, "other")[
        "tuned-base"
    ]
    assert (one.pairs, one.unreadable) == (6, 0)


def test_people_and_judge_are_compared_and_documents_have_a_pair_of_their_own(workspace: Workspace, upstream: Upstream) -> None:
    question = (Turn(role="user", content="Is it silk?"),)
    store = FeedbackStore(workspace)
    store.add(
        Feedback(kind="pair", messages=question, completion=better, rejected=worse)
        for better, worse in [
            ("A long and good answer", "No"),
            ("It is silk, I looked", "Yes"),
            ("No", "Well, who could say so?"),
        ]
    )
    store.add([Feedback(kind="thumb", messages=question, completion="Yes", label=True)])
    found = judged_by(workspace, upstream, longest, {**SAID, "knowledge": SAID["tuned"], "both": SAID["base"]})
    assert set(found) == {"tuned-base", "both-knowledge", PEOPLE}
    people, shown, alone = found[PEOPLE], found["both-knowledge"].preferred, found["tuned-base"].preferred
    assert people.pairs == 3
    assert people.preferred is not None
    assert people.preferred.value == pytest.approx(2 / 3)
    assert shown is not None
    assert alone is not None
    assert shown.value == pytest.approx(1 - alone.value)


def test_judgements_are_kept_also_when_the_judge_breaks_off(workspace: Workspace, upstream: Upstream) -> None:
    def tired(text: str) -> str:
        if upstream.asked > 6:
            raise ConnectionAbortedError
        return longest(text)

    upstream.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="cannot be reached"):
        judged_by(workspace, upstream, tired, SAID)
    before, upstream.asked = upstream.asked, 0
    found = judged_by(workspace, upstream, longest, SAID)
    assert found["tuned-base"].pairs == 8
    assert 0 < upstream.asked < 14 <= before + upstream.asked
    upstream.asked = 0
    assert judged_by(workspace, upstream, longest, SAID) == found
    assert upstream.asked == 0


def test_a_wrong_key_and_a_server_that_is_not_there_say_what_to_do(
    workspace: Workspace, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "wrong")
    with pytest.raises(ModelError, match=r"401: Wrong key") as problem:
        judged_by(workspace, upstream, longest, SAID)
    assert "key" in problem.value.fix
    gone = engine.open_upstream("gone", "http://127.0.0.1:9/v1", "wise")
    with pytest.raises(ModelError, match="cannot be reached"):
        reply(gone, [{"role": "user", "content": "Hello?"}])
    with pytest.raises(ModelError, match="list of answers"):
        reply(gone, [{"role": "user", "content": "Hello?"}], ReplyOptions(choices=("a", "b")))


def test_without_a_judge_nobody_is_asked(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "tailorbird.yaml").write_text(
        "business: {name: Shop}\nsystem_prompt: You answer.\nsources: [{path: none.jsonl}]\n"
    )
    assert judging(Workspace(tmp_path), asked(8), SAID, tmp_path, silent) == {}
    assert upstream.asked == 0
