"""The scorecard as a page an owner can read: verdict, figures, loss curves, audit, plan and answers side by side."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

from tailorbird.artifacts import Audit, Candidate, CurvePoint, Dataset, Plan, Scorecard
from tailorbird.workspace import Workspace, write_text

if TYPE_CHECKING:
    from tailorbird.evaluating.answering import Answer

_SMALL_GAP, _LARGE_GAP = 0.3, 1.0  # nats a token: a third likelier, and 2.7 times as likely
_NAMES = {
    "loss": "Loss on the agents' own answers",
    "chrf": "chrF (characters in common)",
    "rouge_l": "ROUGE-L (words in common, in order)",
    "embedding_similarity": "Closeness of meaning",
    "right_language": "Answers in the customer's language",
    "preference": "Finds the answer likelier that people preferred",
    "accuracy": "Accuracy of labels",
    "macro_f1": "Macro-F1 of labels (every label weighs the same)",
}


def write(target: Path, workspace: Workspace, card: Scorecard, answers: list[Answer]) -> None:
    """Writes one self-contained HTML file: no scripts, nothing fetched."""
    from jinja2 import Environment, PackageLoader

    candidate = workspace.ancestor(card, Candidate)
    page = Environment(loader=PackageLoader("tailorbird.evaluating", "."), autoescape=True).get_template("report.html.j2")
    write_text(
        target,
        page.render(
            business=workspace.settings.business.name,
            card=card,
            names=_NAMES,
            perplexity={s: math.exp(figures["loss"].value) for s, figures in card.systems.items()},
            verdict=verdict(card),
            overfitting=overfitting(candidate, card.systems["tuned"]["loss"].value),
            candidate=candidate,
            plan=workspace.ancestor(candidate, Plan),
            audit=workspace.ancestor(candidate, Audit),
            dataset=workspace.ancestor(candidate, Dataset),
            curves=_curves(workspace.path(candidate) / "curve.jsonl", candidate),
            answers=answers,
        ),
    )


def verdict(card: Scorecard) -> str:
    """The scorecard in one sentence."""
    if card.worse:
        return f"Tuning made the model worse on {_listed(card.worse)}. Do not release it."
    if "loss" not in card.better:
        return "Tuning made no measurable difference on the held-out conversations. Do not release it."
    return f"Tuning made the model better on {_listed(card.better)}, and worse on nothing measured."


def overfitting(candidate: Candidate, test_loss: float) -> str:
    """What the gap between what was learned and what was held out says, in plain words; losses in nats a token."""
    gap = test_loss - candidate.train_loss
    figures = f"Loss is {candidate.train_loss:.2f} on what it learned and {test_loss:.2f} on what it has never seen, {gap:+.2f}"
    if candidate.validation_loss <= 0 or gap < _SMALL_GAP:
        told = "It learned what your conversations have in common, not the conversations themselves."
    elif gap < _LARGE_GAP:
        told = "Some of the training conversations are learned more closely than the rest, as usual with a few hundred of them."
    else:
        told = "It has begun to learn examples by heart: fewer epochs, a lower rank or more conversations would help."
    if candidate.stopped_early:
        told += f" Training stopped by itself, since after step {candidate.best_step} what it had not seen only got worse."
    return f"{figures}. {told}"


def _listed(metrics: tuple[str, ...]) -> str:
    return ", ".join(_NAMES[name].split(" (")[0].lower() for name in metrics)


_PANELS = (
    ("loss (nats per token)", (("train_loss", "training", "-"), ("validation_loss", "validation (unseen)", "o-"))),
    ("reward", (("reward", "training", "-"), ("eval_reward", "validation (unseen)", "o-"))),
    ("KL (nats per token)", (("kl", "from where it began", "-"),)),
    ("length (tokens)", (("length", "training", "-"), ("eval_length", "validation (unseen)", "o-"))),
)


def _curves(path: Path, candidate: Candidate) -> str:
    """The curves as inline SVG: losses, or for RLHF rewards, distance and lengths."""
    from matplotlib.figure import Figure as Drawing

    points = [CurvePoint.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rewarded = any(point.measures for point in points)
    panels = _PANELS[1:] if rewarded else _PANELS[:1]
    drawing = Drawing(figsize=(7.5, 2.6 * len(panels) + 0.6), layout="constrained")
    for axes, (title, lines) in zip(drawing.subplots(len(panels), squeeze=False)[:, 0], panels, strict=True):
        for name, label, style in lines:
            rows = [(p.step, value) for p in points if (value := p.measures.get(name, getattr(p, name, None))) is not None]
            axes.plot([step for step, _ in rows], [value for _, value in rows], style, label=label, markersize=4)
        axes.axvline(candidate.best_step, color="grey", linestyle=":", label="kept")
        axes.set(xlabel="step", ylabel=title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    svg = io.StringIO()
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()[svg.getvalue().index("<svg") :]
