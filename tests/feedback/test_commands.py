"""tailorbird feedback on real files."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, write_jsonl
from typer.testing import CliRunner, Result

from tailorbird.artifacts import Audit, Candidate, Conversation, Difference, Figure, Scorecard, Turn
from tailorbird.cli import app
from tailorbird.errors import InputError, WorkspaceError
from tailorbird.feedback import FeedbackStore
from tailorbird.workspace import Workspace, write_lines

PAIR = {"prompt": "Silk?", "chosen": "Yes, mulberry silk.", "rejected": "I think so."}
THUMB = {"prompt": [{"role": "user", "content": "Spain?"}], "completion": "Yes, in five days.", "label": False}
EDIT = {"prompt": "Parcel?", "drafted": "It is lost.", "edited": "It is in Lyon.", "customer_id": 7, "judge": "Mira"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Workspace.create(tmp_path / "shop", "Shop")
    return tmp_path / "shop"


def run(folder: Path, *arguments: str | Path, input: str = "") -> Result:
    result = CliRunner().invoke(app, ["feedback", *map(str, arguments), "-w", str(folder)], input=input)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_json(folder: Path, *arguments: str | Path, input: str = "") -> Any:
    return json.loads(run(folder, *arguments, "--json", input=input).stdout)


def rows_of(folder: Path) -> list[tuple[Any, ...]]:
    found = FeedbackStore(Workspace(folder)).all()
    return sorted((row.kind, row.messages[-1].content, row.completion, row.rejected, row.label) for row in found)


EXPECTED = [
    ("edit", "Parcel?", "It is in Lyon.", "It is lost.", None),
    ("pair", "Silk?", "Yes, mulberry silk.", "I think so.", None),
    ("thumb", "Spain?", "Yes, in five days.", None, False),
]
TABLE = """\
prompt;chosen;rejected;completion;label;drafted;edited;customer_id;judge
Silk?;Yes, mulberry silk.;I think so.;;;;;;
"[{""role"": ""user"", ""content"": ""Spain?""}]";;;Yes, in five days.;down;;;;
Parcel?;;;;;It is lost.;It is in Lyon.;7;Mira
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("j.jsonl", "\n".join(map(json.dumps, (PAIR, THUMB, EDIT))).encode()),
        ("j.json", json.dumps([PAIR, THUMB, EDIT], indent=2).encode("utf-8-sig")),
        ("j.csv", TABLE.encode()),
        ("wide.csv", codecs.BOM_UTF16_LE + TABLE.replace("\n", "\r\n").encode("utf-16-le")),
    ],
)
def test_files_of_every_form_are_read_once(folder: Path, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    made = run_json(folder, "import", tmp_path / name)
    assert made == {"added": 3, "known": 0, "erased": 0, "rejected": []}
    assert rows_of(folder) == EXPECTED
    assert run_json(folder, "import", tmp_path / name)["known"] == 3
    assert rows_of(folder) == EXPECTED
    (edit,) = FeedbackStore(Workspace(folder)).newest(None, "edit")
    assert (edit.customer_id, edit.judge) == ("7", "Mira")


def test_trls_other_forms_are_read(folder: Path, tmp_path: Path) -> None:
    asked = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hats?"}]
    yes, no = ({"role": "assistant", "content": text} for text in ("Yes.", "No."))
    rows: list[object] = [{"chosen": [*asked, yes], "rejected": [*asked, no]}, {"messages": [*asked, yes], "label": True}]
    assert run_json(folder, "import", write_jsonl(tmp_path / "t.jsonl", rows))["added"] == 2
    assert rows_of(folder) == [("pair", "Hats?", "Yes.", "No.", None), ("thumb", "Hats?", "Yes.", None, True)]


def test_the_examples_of_the_page_are_read(folder: Path, tmp_path: Path) -> None:
    blocks = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8").split("```json\n")[1:]
    examples = [block.split("```")[0] for block in blocks]
    (tmp_path / "a.jsonl").write_text(examples[0])
    (tmp_path / "b.jsonl").write_text(examples[1])
    assert run_json(folder, "import", tmp_path / "a.jsonl")["added"] == 3
    assert run_json(folder, "compare", tmp_path / "b.jsonl", input="=\n")["judged"] == 1


BAD = [
    ('{"prompt": "Where?", "completion": "x", "label": "maybe"}', "label", "neither true nor false"),
    ('{"prompt": "Where?", "chosen": "x"}', "rejected", "missing"),
    ('{"prompt": "Where?", "chosen": "x", "rejected": "x"}', "rejected", "the same"),
    ('{"prompt": " ", "chosen": "x", "rejected": "y"}', "prompt", "what the customer wrote"),
    ('{"prompt": [{"role": "bot"}], "chosen": "x", "rejected": "y"}', "prompt", "message 1"),
    ('{"prompt": 3, "chosen": "x", "rejected": "y"}', "prompt", "neither text"),
    ('{"prompt": "?", "chosen": {"a": 1}, "rejected": "y"}', "chosen", "neither text"),
    ('{"prompt": "?", "drafted": "x", "edited": "y", "created_at": "soon"}', "created_at", "datetime"),
    ('{"prompt": "?", "drafted": "x", "edited": "y", "completion": "z", "label": 1}', "row", "in one"),
    ('{"chosen": [{"role": "user", "content": "a"}, {}], "rejected": [{}, {}]}', "rejected", "another one"),
    ('{"question": "?"}', "row", "no judgement"),
    ('{"prompt": "?", "completion": ""}', "row", "no judgement"),
    ("[1]", "row", "not a JSON object"),
    ('{"prompt": ', "row", "not JSON"),
    ('{"prompt": "¿Sí, señor? \udcff"}', "row", "not UTF-8"),
    ("[" * 5000, "row", "not JSON"),
]


def test_bad_rows_are_named_and_kept_and_stop_nothing(folder: Path, tmp_path: Path) -> None:
    lines = [json.dumps(PAIR), *(line for line, _, _ in BAD), json.dumps(EDIT)]
    (tmp_path / "j.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    made = run_json(folder, "import", tmp_path / "j.jsonl")
    assert made["added"] == 2
    for (number, (_, field, reason)), found in zip(enumerate(BAD, 2), made["rejected"], strict=True):
        assert found["place"] == f"j.jsonl:{number}"
        assert found["field"] == field
        assert reason in found["reason"]
        assert found["fix"]
    run(folder, "import", tmp_path / "j.jsonl")
    kept = (folder / "artifacts" / "feedback-rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == len(BAD), "each once"
    shown = run(folder, "import", tmp_path / "j.jsonl")
    assert "j.jsonl:2: label: 'maybe' is neither true nor false. Write true" in shown.stderr


def test_strict_keeps_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "j.jsonl").write_text(f"{json.dumps(PAIR)}\n{BAD[0][0]}\n")
    with pytest.raises(InputError, match=r"j\.jsonl:2: label"):
        run(folder, "import", tmp_path / "j.jsonl", "--strict")
    assert list((folder / "artifacts").glob("*")) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("j.jsonl", b"", "empty"),
        ("j.jsonl", b"PK\x03\x04\0\0\0", "no text"),
        ("j.jsonl", b"hello\n", "not JSON"),
        ("j.json", b'[{"prompt": "?"', "not JSON"),
        ("j.csv", b"prompt,chosen,rejected\n", "no judgement"),
        ("j.csv", b'prompt,chosen,rejected\n?,"x,y\n', "quotation mark"),
        ("j.csv", b"prompt,chosen,rejected\n?,a,b,c\n", "4 cells"),
        ("none", None, "cannot be read"),
    ],
)
def test_files_without_judgements_are_refused_in_words(
    folder: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        run(folder, "import", tmp_path / name)


def test_list_counts_and_filters(folder: Path, tmp_path: Path) -> None:
    assert "no feedback yet" in run(folder, "list").stdout
    dated = [PAIR | {"created_at": "2025-03-01T10:00:00+02:00"}, THUMB | {"created_at": "2026-03-01"}, EDIT]
    run(folder, "import", write_jsonl(tmp_path / "j.jsonl", list(dated)))
    assert run_json(folder, "list")["counts"] == {"edit": 1, "pair": 1, "thumb": 1}
    assert run_json(folder, "list", "--kind", "pair")["rows"][0]["created_at"] == "2025-03-01T08:00:00Z"
    assert run_json(folder, "list", "--since", "2026-01-01")["counts"] == {"edit": 1, "thumb": 1}
    assert [row["kind"] for row in run_json(folder, "list", "--most", "1")["rows"]] == ["edit"]
    assert "👎 Yes, in five days." in run(folder, "list").stdout
    assert run(folder, "list", "--since", "soon").exit_code == 2


def scored(folder: Path, answers: int) -> None:
    """A scorecard with held-out answers to conversations of three turns, as `evaluate` leaves it."""
    workspace = Workspace(folder)
    figure, interval = {"value": 1.0, "low": 1.0, "high": 1.0}, Difference(value=0, low=0, high=0, p=1, detectable=0)
    test = [
        Conversation(
            id=f"t-{n}",
            customer_id=f"c-{n}",
            turns=(
                Turn(role="system", content="Be kind."), Turn(role="user", content="Hello"), Turn(role="assistant", content="Hi"),
                Turn(role="user", content=f"Hat {n}?"), Turn(role="assistant", content=f"AGENT{n}"),
            ),
        )
        for n in range(answers)
    ]  # fmt: skip
    with workspace.drafting("audit-1") as draft:
        write_lines(draft / "test.jsonl", test[1:])  # the first one's conversation was erased
        audit = Audit(id="audit-1", conversations=1, kept=1, split_groups=1, quarantined={}, redacted={}, splits={}, seed=1,
                      system_prompt="Be kind.")  # fmt: skip
        workspace.save(audit, draft)
    with workspace.drafting("candidate-1") as draft:
        numbers = dict.fromkeys(("train_loss", "validation_loss", "minutes", "tokens_per_second", "peak_memory_gb"), 1.0)
        made = Candidate(
            id="candidate-1", made_from=("audit-1",), model="m", steps=1, best_step=1, stopped_early=False, **numbers
        )
        workspace.save(made, draft)
    with workspace.drafting("scorecard-1") as draft:
        lines = [
            {"conversation": f"t-{n}", "question": f"Hat {n}?"}
            | {name: f"{name.upper()}{n}" for name in ("agent", "base", "tuned")}
            for n in range(answers)
        ]
        write_jsonl(draft / "answers.jsonl", list(lines))
        loss = {name: {"loss": Figure(**figure, unit="", better="lower")} for name in ("base", "tuned")}
        card = Scorecard(id="scorecard-1", made_from=("candidate-1",), test_conversations=1, test_answers=1, systems=loss,
                         differences={"tuned-base": {"loss": interval}}, generalisation_gap=0, better={}, worse={})  # fmt: skip
        workspace.save(card, draft)


def test_held_out_answers_are_compared_blind_and_kept_at_once(folder: Path) -> None:
    scored(folder, 12)
    said = run(folder, "compare", "--judge", "Mira", input="1\n" * 12)  # then the input ends, as if the owner had left
    assert "12 judged and kept, 12 left" in said.stdout
    rows = {row.conversation: row for row in FeedbackStore(Workspace(folder)).all()}
    assert len(rows) == 12
    screen = re.split(r"\d  (?:base|tuned) over", said.stdout)[0]
    assert not re.search(r"\b(?:base|tuned)\b", screen), "nothing says who wrote which"
    after = rows["t-3"]
    assert [turn.content for turn in after.messages] == ["Hello", "Hi", "Hat 3?"]
    assert [turn.content for turn in rows["t-0"].messages] == ["Hat 0?"], "without its conversation the question alone"
    assert (after.customer_id, after.judge) == ("c-3", "Mira")
    for n in range(12):
        left, right = sorted((f"BASE{n} ", f"TUNED{n} "), key=screen.index)
        assert (rows[f"t-{n}"].completion, rows[f"t-{n}"].rejected) == (left.strip(), right.strip()), "1 is the one on the left"
        winner, loser = left.rstrip("0123456789 ").lower(), right.rstrip("0123456789 ").lower()
        assert rows[f"t-{n}"].source == f"scorecard-1: {winner} over {loser}"
    assert 0 < sum(row.completion.startswith("TUNED") for row in rows.values()) < 12, "sides are drawn by lot"


def test_comparing_goes_on_with_what_is_left(folder: Path) -> None:
    scored(folder, 2)
    first = run_json(folder, "compare", input="=\ns\nnonsense\n2\nq\n")
    assert (first["judged"], first["skipped"], first["left"]) == (2, 1, 2)
    assert sum(first["verdicts"].values()) == 2
    assert first["verdicts"]["neither base nor tuned"] == 1
    second = run_json(folder, "compare", input="=\n=\n")
    assert second["verdicts"] == {"neither base nor tuned": 1, "neither tuned nor agent": 1}
    assert run_json(folder, "compare") == {"judged": 0, "skipped": 0, "left": 0, "verdicts": {}, "rejected": 0}
    assert run_json(folder, "list")["counts"] == {"pair": 1, "tie": 3}


def test_ctrl_c_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(folder, 3)
    typed = iter(["1", "="])

    def answer(prompt: str = "") -> str:
        if (told := next(typed, None)) is None:
            raise KeyboardInterrupt
        return told

    monkeypatch.setattr("builtins.input", answer)
    assert "2 judged and kept, 4 left" in run(folder, "compare").stdout
    assert run_json(folder, "list")["counts"] == {"pair": 1, "tie": 1}


def test_a_file_of_answers_is_compared(folder: Path, tmp_path: Path) -> None:
    asked = [
        {"prompt": "Hats?", "answers": ["\x1b[31mYes.", "No."], "customer_id": 5, "task": "sizes"},
        {"prompt": "Hats?", "answers": ["Yes."]},
        {"prompt": "Hats?", "answers": ["Yes.", "Yes."]},
    ]
    said = run(folder, "compare", write_jsonl(tmp_path / "c.jsonl", list(asked)), input="1\n")
    assert "c.jsonl:2: answers: it is no list of two texts" in said.stderr
    assert "c.jsonl:3: answers: both answers are the same" in said.stderr
    assert "\x1b[31m" not in said.stdout
    (row,) = FeedbackStore(Workspace(folder)).all()
    assert (row.customer_id, row.task) == ("5", "sizes")
    assert len((folder / "artifacts" / "feedback-rejected.jsonl").read_text().splitlines()) == 2


def test_without_a_scorecard_the_missing_verb_is_named(folder: Path) -> None:
    with pytest.raises(WorkspaceError, match="no scorecard"):
        run(folder, "compare")
