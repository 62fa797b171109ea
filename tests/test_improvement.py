"""`tailorbird improve`: a round on top of production, through the command, on a tiny model."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import conversation, write_jsonl
from typer.testing import CliRunner

from tailorbird import audit, engine, evaluate, import_conversations, improve, plan
from tailorbird.artifacts import Audit, Candidate, Checkup, Comparison, Plan, Release, Scorecard
from tailorbird.cli import app
from tailorbird.errors import InputError, TailorbirdError
from tailorbird.evaluating.held_out import unlearned
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.improvement import improve_production
from tailorbird.planning.choosing import worth_learning
from tailorbird.workspace import PRODUCTION, Workspace, read_conversations


@pytest.fixture
def released(tmp_path: Path, released_once: Path) -> Workspace:
    """A workspace with a version in production."""
    return Workspace(shutil.copytree(released_once, tmp_path / "released"))


def more(workspace: Workspace, count: int) -> None:
    write_jsonl(workspace.folder / "conversations.jsonl", [conversation(n) for n in range(60 + count)])


def ids(workspace: Workspace, made: Audit, part: str) -> set[str]:
    return {one.id for one in read_conversations(workspace.path(made) / f"{part}.jsonl")}


def test_what_is_new_is_learned_on_top_of_production_and_compared_with_it(released: Workspace) -> None:
    before = released.find(Release, released.alias(PRODUCTION) or "")
    more(released, 20)
    told = json.loads(CliRunner().invoke(app, ["improve", "-w", str(released.folder), "--json"]).stdout)
    assert (told["outcome"] in ("waiting", "refused"), told["new"]) == (True, 20)
    candidate = released.find(Candidate, told["candidate"])
    planned = released.ancestor(candidate, Plan)
    assert planned.made_from[1] == released.ancestor(before, Candidate).id, "on from production"
    lessons, replayed = (
        {one.id for one in read_conversations(released.path(planned) / f"{part}.jsonl")} for part in ("train", "replayed")
    )
    first, second = released.ancestor(before, Audit), released.ancestor(candidate, Audit)
    new = {f"t-{n}" for n in range(60, 80)}
    assert lessons <= new
    assert 30 <= len(replayed) < len(ids(released, first, "train")), "earlier ones against forgetting, but not the nearest"
    assert not replayed & new
    assert "against forgetting" in planned.why["lessons"]
    for part in ("train", "validation", "test"):
        assert ids(released, first, part) == ids(released, second, part) - new, "what was held out stays held out"
    parts = told["comparison"]["parts"]
    assert set(parts) == {"earlier conversations", "new conversations", "general text", "answers"}
    assert {"chrf", "voice", "embedding_similarity"} <= set(parts["answers"]["differences"])
    chrf = (parts["answers"]["systems"][name]["chrf"]["value"] for name in ("tuned", "production"))
    assert parts["answers"]["differences"]["chrf"]["value"] == pytest.approx(next(chrf) - next(chrf))
    assert released.alias(PRODUCTION) == before.id, "never released by itself"


def _asking(workspace: Workspace, **changed: int) -> None:
    evaluation = workspace.settings.evaluation.model_copy(update=changed)
    workspace.settings = workspace.settings.model_copy(update={"evaluation": evaluation})


def test_what_a_system_has_answered_is_not_asked_again(released: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    answer_all = engine.answer_all

    def counting(base: Path, tuned: Path | None, *more: Any) -> Iterator[tuple[int, str]]:
        asked.append(tuned is None)
        return answer_all(base, tuned, *more)

    monkeypatch.setattr(engine, "answer_all", counting)
    candidate = released.find(Candidate, released.all(Candidate)[0].id)
    first = released.all(Scorecard)[0]
    _asking(released, labels=7)
    again = evaluate(released, candidate)
    assert (again.id != first.id, again.systems, asked) == (True, first.systems, [])
    _asking(released, longest_answer=9)
    evaluate(released, candidate)
    assert asked == [True, False], "another way of asking"


def test_below_the_number_wanted_nothing_is_trained(released: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    more(released, 4)
    made = len(released.all(Candidate))
    done = CliRunner().invoke(app, ["improve", "-w", str(released.folder), "--if-new", "5"])
    assert done.exit_code == 0
    assert "4 new conversations" in done.stdout
    assert len(released.all(Candidate)) == made

    def trained(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tailorbird.improvement._trained", trained)
    with pytest.raises(ZeroDivisionError):
        improve_production(released, 4)


def test_what_serves_customers_is_followed_on_new_conversations(released: Workspace) -> None:
    rows = [conversation(n) | ({"created_at": f"2026-05-{n - 45:02d}"} if n >= 60 else {}) for n in range(72)]
    write_jsonl(released.folder / "conversations.jsonl", list(rows))
    asked = ["evaluate", "-w", str(released.folder), "--production", "--since"]
    done = CliRunner().invoke(app, [*asked, "2026-05-16", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["conversations"], told["first"], told["last"]) == (11, "2026-05-16", "2026-05-26")
    assert {"loss", "chrf", "voice"} <= set(told["production"])
    assert told["production"]["loss"]["low"] <= told["production"]["loss"]["value"] <= told["production"]["loss"]["high"]
    plain = CliRunner().invoke(app, [*asked, "2026-05-15"])
    assert "Version 1 on 12 new conversations, 2026-05-15 to 2026-05-26" in plain.stdout.replace("\n", " ")
    page = (released.path(released.all(Checkup)[-1]) / "trend.html").read_text()
    assert page.count("<tr><td>") == 2, "one row for each time"
    assert "<svg" in page
    too_late = CliRunner().invoke(app, [*asked, "2026-05-20"])
    assert isinstance(too_late.exception, InputError)
    assert "Only 7 conversations since 2026-05-20 are new to version 1" in too_late.exception.text


@pytest.mark.slow
def test_judgements_count_as_new_and_enough_pairs_get_a_run_of_their_own(released: Workspace) -> None:
    FeedbackStore(released).add(
        Feedback.model_validate(
            {
                "kind": "pair", "messages": [{"role": "user", "content": f"May I return hat number {n}?"}],
                "completion": f"Yes, hat {n} may come back in {n + 7} days.", "rejected": f"No hat {n} back.", "source": "test",
            }
        )
        for n in range(30)
    )  # fmt: skip
    told = improve_production(released)
    assert told.new == 30
    planned = released.ancestor(released.find(Candidate, told.candidate), Plan)
    assert planned.learns_from == "pairs"
    assert len([one for one in released.lineage(planned) if isinstance(one, Candidate)]) == 2, "production, answers, then pairs"


def test_pairs_that_are_too_few_or_held_out_get_no_run(released: Workspace) -> None:
    told = [
        {
            "kind": "pair", "messages": [{"role": "user", "content": f"May I return hat number {n}?"}],
            "completion": f"Yes, hat {n} may come back in {n + 7} days.", "rejected": f"No hat {n} back.", "source": "test",
        }
        for n in range(11)
    ]  # fmt: skip
    FeedbackStore(released).add(Feedback.model_validate(row) for row in told)
    audited = audit(released, improve(released))
    new = {one.id for one in FeedbackStore(released).all()}
    assert 0 < len(ids(released, audited, "train") & new) < 10, "some of them are held out"
    assert worth_learning(released, audited, new) == ["answers"]
    assert worth_learning(released, audited, ids(released, audited, "test")) == [], "what is held out teaches nothing"


def test_what_was_answered_otherwise_by_now_is_learned_anew(released: Workspace) -> None:
    before = released.find(Release, released.alias(PRODUCTION) or "")
    changed = min(ids(released, released.ancestor(before, Audit), "train"))
    number = int(changed.removeprefix("t-"))
    rows = [conversation(n) if n != number else conversation(n, answer="Not at all by now: bring it to us.") for n in range(60)]
    write_jsonl(released.folder / "conversations.jsonl", rows)
    settings = released.folder / "tailorbird.yaml"
    settings.write_text(settings.read_text().replace("training:\n", "training:\n  start_from: production\n"))
    workspace = Workspace(released.folder)
    planned = plan(workspace, audit(workspace, import_conversations(workspace)))
    lessons, replayed = (read_conversations(workspace.path(planned) / f"{part}.jsonl") for part in ("train", "replayed"))
    assert {one.id for one in lessons} == {changed}
    assert replayed
    assert changed not in {one.id for one in replayed}


def test_judged_answers_stay_beside_the_conversation_that_they_are_of(released: Workspace) -> None:
    before = released.find(Release, released.alias(PRODUCTION) or "")
    first = released.ancestor(before, Audit)
    of = {part: read_conversations(released.path(first) / f"{part}.jsonl")[0] for part in ("train", "test")}
    for one in of.values():
        told = {"messages": one.messages[1:2], "customer_id": one.customer_id, "source": "draft"}
        answer, draft = one.turns[-1].content, f"No, and do not ask us again about number {one.id} of any such"
        rows = [{"kind": "edit", "completion": answer, "rejected": draft}, {"kind": "thumb", "completion": draft, "label": False}]
        FeedbackStore(released).add(Feedback.model_validate(told | row) for row in rows)
    second = audit(released, improve(released))
    for part, one in of.items():
        known = ids(released, second, part)
        assert one.id in known, "a judged copy sets nothing aside"
        assert {row.id for row in FeedbackStore(released).all() if row.customer_id == one.customer_id} < known
    test = read_conversations(released.path(second) / "test.jsonl")
    left = unlearned(released, [released.ancestor(before, Candidate)], test)
    assert [one.id for one in test if one not in left] == [one.id for one in test if one.disliked] != []


@pytest.mark.slow
def test_an_update_that_is_worse_than_production_is_refused(released: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    more(released, 20)
    from tailorbird import evaluating

    real = evaluating.compare

    def worse(workspace: Workspace, *rest: object) -> Comparison:
        made = real(workspace, *rest).model_copy(update={"worse": ("general text",)})
        workspace.amend(made)
        return made

    monkeypatch.setattr("tailorbird.evaluating.compare", worse)
    told = improve_production(released)
    assert told.outcome == "refused"
    assert "worse than the version in production on general text" in told.reasons[-1]


def test_two_rounds_at_once_and_rounds_without_production_are_refused(released: Workspace, tmp_path: Path) -> None:
    with (released.store / "improving.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(TailorbirdError, match="Another"):
            improve_production(released)
    fresh = Workspace.create(tmp_path / "fresh", "Fresh")
    with pytest.raises(TailorbirdError, match="Nothing is released"):
        improve_production(fresh)
