"""The boutique is what it claims to be; and (slow) the whole demo on the real model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from rapidfuzz import fuzz

from tailorbird.artifacts import Audit, Conversation
from tailorbird.auditing import audit
from tailorbird.importing import import_conversations
from tailorbird.workspace import Workspace, read_conversations

BOUTIQUE = ROOT / "examples" / "boutique"
KINDS = ("EMAIL", "PHONE", "CARD", "ADDRESS", "IBAN", "DOB")
FLAWS: dict[str, str] = json.loads((BOUTIQUE / "flaws.json").read_text())


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Conversation], Audit]:
    folder = tmp_path_factory.mktemp("boutique") / "shop"
    shutil.copytree(BOUTIQUE, folder)
    workspace = Workspace(folder)
    dataset = import_conversations(workspace)
    return workspace, read_conversations(workspace.path(dataset) / "conversations.jsonl"), audit(workspace, dataset)


def test_it_has_the_breadth_of_a_real_shop(audited: tuple[Workspace, list[Conversation], Audit]) -> None:
    _, conversations, _ = audited
    clean = [c for c in conversations if c.id not in FLAWS]
    assert len(clean) >= 400
    topics = Counter(c.tags[0] for c in clean)
    assert len(topics) >= 12
    assert all(count >= 4 for count in topics.values())
    assert sum(len(c.turns) > 2 for c in clean) > 100, "many have several turns"
    assert sum("handoff" in c.tags for c in clean) > 30
    assert sum("angry" in c.tags for c in clean) > 10
    assert 0.6 < sum(c.rating is not None for c in clean) / len(clean) < 0.9
    assert all(c.customer_id and c.created_at for c in conversations)


def test_no_two_clean_answers_are_near_copies(audited: tuple[Workspace, list[Conversation], Audit]) -> None:
    answers = [(c.id, t.content) for c in audited[1] if c.id not in FLAWS for t in c.turns if t.role == "assistant"]
    close = [(a, b) for (a, x), (b, y) in combinations(answers, 2) if a != b and fuzz.ratio(x, y) > 80]
    assert close == []


def test_the_planted_flaws_are_there_and_the_audit_finds_what_it_can(
    audited: tuple[Workspace, list[Conversation], Audit],
) -> None:
    workspace, _, made = audited
    assert set(Counter(FLAWS.values())) == {"personal_data", "duplicate", "contradiction", "abuse", "poison"}
    aside = [json.loads(line)["id"] for line in (workspace.path(made) / "quarantined.jsonl").read_text().splitlines()]
    found = Counter(FLAWS.get(identity, "clean") for identity in aside)
    planted = Counter(FLAWS.values())
    assert found["duplicate"] == planted["duplicate"]
    assert found["poison"] >= 0.8 * planted["poison"]
    assert found["contradiction"] >= 0.6 * planted["contradiction"]
    assert found["abuse"] == 3, "three agents; a customer's abuse is a case to answer"
    assert found["clean"] <= 0.01 * made.conversations
    kept = [c for name in made.splits for c in read_conversations(workspace.path(made) / f"{name}.jsonl")]
    redacted = {c.id for c in kept if any(f"<{kind}_" in t.content for kind in KINDS for t in c.turns)}
    aside_too = {identity for identity in aside if FLAWS.get(identity) == "personal_data"}
    assert {identity for identity, flaw in FLAWS.items() if flaw == "personal_data"} <= redacted | aside_too
    assert len([identity for identity in redacted if identity not in FLAWS]) <= 2, "hardly anything clean is touched"
    assert any("hello@foxgloveandfinch.example" in t.content for c in kept for t in c.turns)


@pytest.mark.slow
@pytest.mark.alone
def test_the_whole_demo_on_the_real_model(tmp_path: Path) -> None:
    """`tailorbird demo`, then the official client against `tailorbird serve`; prints what the documents quote.

    It trains for less long, and of what other tests try, attacks and the like, it tries less than `make demo` does.
    """
    import openai

    shop = Path(shutil.copytree(BOUTIQUE, tmp_path / "demo"))
    settings = yaml.safe_load((shop / "tailorbird.yaml").read_text())
    settings["evaluation"] |= {"answers": 30, "longest_answer": 80, "attacks": 6, "counterfactuals": 6, "training_answers": 4}
    settings["training"]["minutes"] = 4.5
    (shop / "tailorbird.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    done = subprocess.run(
        [sys.executable, "-m", "tailorbird", "demo", str(shop), "--json"], stdout=subprocess.PIPE, text=True, timeout=2400
    )
    assert done.returncode == 0
    made: dict[str, Any] = json.loads(done.stdout)
    card = made["scorecard"]
    print("\n" + json.dumps({k: card[k] for k in ("systems", "differences", "generalisation_gap")}, indent=1))
    print({k: made["candidate"][k] for k in ("steps", "minutes", "tokens_per_second", "peak_memory_gb")})
    assert card["use"] == "both"
    for pair in ("tuned-base", "both-base"):
        for metric, sign in (("loss", -1), ("rouge_l", 1)):
            difference = card["differences"][pair][metric]
            assert min(sign * difference["low"], sign * difference["high"]) > 0, (pair, metric)
        assert card["differences"][pair]["embedding_similarity"]["value"] > 0, "30 answers do not tell it for sure"
    assert made["plan"]["minutes"] <= 5.4
    assert len(made["answers"]) == 3
    assert all(answer["tuned"] and answer["base"] for answer in made["answers"])

    server = subprocess.Popen([sys.executable, "-m", "tailorbird", "serve", "-w", str(shop), "--port", "8765"])
    try:
        client = openai.OpenAI(base_url="http://127.0.0.1:8765/v1", api_key="unused", timeout=60)
        deadline = time.monotonic() + 120
        while True:
            try:
                name = client.models.list().data[1].id
                break
            except openai.APIConnectionError:
                assert time.monotonic() < deadline
                assert server.poll() is None
                time.sleep(0.2)
        asked = [{"role": "user", "content": "How many days do I have to send a dress back?"}]
        whole = client.chat.completions.create(model=name, messages=asked, max_tokens=60)  # type: ignore[call-overload]
        chunks = client.chat.completions.create(model=name, messages=asked, max_tokens=60, stream=True)  # type: ignore[call-overload]
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        print(f"\nplain:    {whole.choices[0].message.content!r}\nstreamed: {streamed!r}")
        assert streamed.strip() == whole.choices[0].message.content
        assert whole.usage.completion_tokens > 5
        assert streamed.startswith("Hello, I am the AI assistant of Foxglove & Finch.")
    finally:
        server.terminate()
        server.wait(timeout=30)
