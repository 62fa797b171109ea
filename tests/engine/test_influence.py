from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import make_tiny_model

from tailorbird import engine
from tailorbird.artifacts import Plan
from tailorbird.engine import Run, influence
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import lay_out
from tailorbird.errors import InputError
from tailorbird.progress import silent
from tailorbird.replier import Message

SUBJECTS = ("parcel", "silk dress", "post", "dress is silk", "we post", "the parcel is the")


def chat(question: str, answer: str, system: str = "") -> list[Message]:
    told: list[Message] = [{"role": "system", "content": system}] if system else []
    return [*told, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]


CHATS = [chat(f"{number} {subject}?", f"{subject} {number} {subject}") for number, subject in enumerate(SUBJECTS * 3)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"), texts=[message["content"] for one in CHATS for message in one])


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    engine.fit(base, planned(base, "lora"), CHATS, CHATS[:2], Run(folder))
    return folder / "adapter"


def planned(base: Path, method: str) -> Plan:
    return Plan(
        id="plan-1", model=str(base), method=method, lora_rank=0 if method == "full" else 4, sequence_length=128,
        tokens_per_step=128, epochs=2, steps=12, learning_rate=5e-3, check_every=6, patience=9, seed=1, minutes=1.0,
        memory_gb=1.0, why={},
    )  # fmt: skip


def test_what_a_conversation_teaches_does_not_depend_on_its_company(base: Path, trained: Path) -> None:
    together = engine.sketch_gradients(base, trained, 128, silent, CHATS)
    alone = np.concatenate([engine.sketch_gradients(base, trained, 128, silent, [one]) for one in CHATS[:4]])
    assert together.shape == (len(CHATS), influence.SIZE)
    np.testing.assert_allclose(np.linalg.norm(together.astype(float), axis=1), 1, rtol=1e-2)
    np.testing.assert_allclose(together[:4].astype(float), alone.astype(float), atol=2e-3)


def test_projections_keep_the_gradients_dot_products(base: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many directions, since a tiny model has few matrices over which the noise of four would even out."""
    monkeypatch.setattr(influence, "_WIDTH", 512)
    monkeypatch.setattr(influence, "SIZE", 2**17)
    model, encoder = influence._opened(base, trained), ChatEncoder(base)
    exact = []
    for one in CHATS[:8]:
        target_losses(model, lay_out([encoder.encode(one)])).sum().backward()
        exact.append(torch.cat([p.grad.flatten().float() for _, p in model.named_parameters() if p.grad is not None]))
        model.zero_grad(set_to_none=True)
    wanted = torch.nn.functional.normalize(torch.stack(exact), dim=1)
    found = engine.sketch_gradients(base, trained, 128, silent, CHATS[:8]).astype(float)
    np.testing.assert_allclose(found @ found.T, (wanted @ wanted.T).numpy(), atol=0.1)


def test_tokens_that_several_share_are_nobodys() -> None:
    start = tuple(range(40))
    items = [Encoded((*start, 50 + n, 60 + n, 70), (False,) * 41 + (True, True)) for n in range(3)]
    pack = lay_out(items)
    found = influence.owners(pack)
    assert found[: len(start)] == [-1] * len(start)
    assert sorted(found[len(start) :]) == [0, 0, 1, 1, 2, 2]
    assert set(influence.owners(lay_out(items[:1]))) == {0}


def test_only_lora_can_be_asked(base: Path, tmp_path: Path) -> None:
    engine.fit(base, planned(base, "full"), CHATS, CHATS[:2], Run(tmp_path))
    with pytest.raises(InputError, match="LoRA"):
        engine.sketch_gradients(base, tmp_path / "adapter", 128, silent, CHATS[:2])


def test_of_the_last_answer_nothing_else_counts_and_long_chats_lose_their_beginning(base: Path, trained: Path) -> None:
    first, last = CHATS[0], CHATS[1]
    rows = engine.sketch_gradients(
        base, trained, 128, silent, [[*first, *last], [*first[:1], *CHATS[2][1:], *last]], last_only=True
    )
    whole = engine.sketch_gradients(base, trained, 128, silent, [[*first, *last]])
    assert float(rows[0].astype(float) @ whole[0].astype(float)) < 0.99, "the first answer counts in the whole"
    long = [message for _ in range(40) for message in first]
    cut, short = (
        engine.sketch_gradients(base, trained, 64, silent, [chat], last_only=True)[0] for chat in ([*long, *last], last)
    )
    assert cut.any()
    assert float(cut.astype(float) @ short.astype(float)) > 0.5, "about the same answer"
    assert not engine.sketch_gradients(base, trained, 4, silent, [last], last_only=True).any(), "nothing fits"
