"""The model card that travels with a release (Mitchell et al. 2019, Model Cards for Model Reporting)."""

from __future__ import annotations

from tailorbird.artifacts import Audit, Dataset, Plan, Release, Scorecard
from tailorbird.engine import ENTRIES
from tailorbird.workspace import Workspace

_LORA = {"lora": "LoRA", "rslora": "rsLoRA", "dora": "DoRA"}
_SYSTEMS = {"knowledge": "base with documents", "both": "tuned with documents"}


def _method(plan: Plan) -> str:
    if plan.virtual_tokens:
        return f"{plan.method} tuning, {plan.virtual_tokens} virtual tokens"
    if plan.method == "full":
        return "full fine-tuning"
    return f"{_LORA[plan.method]}, rank {plan.lora_rank}"


def text(workspace: Workspace, release: Release, scorecard: Scorecard) -> str:
    """The card as Markdown."""
    plan, audit = workspace.ancestor(scorecard, Plan), workspace.ancestor(scorecard, Audit)
    dataset = workspace.ancestor(scorecard, Dataset)
    splits = ", ".join(f"{n} {name}" for name, n in audit.splits.items())
    licence = next((e.licence for e in ENTRIES if e.name == release.model), "see the base model's own card")
    aside = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in audit.quarantined.items()) or "none"
    redacted = ", ".join(f"{n} {kind}" for kind, n in audit.redacted.items()) or "nothing found"
    return f"""# {workspace.settings.business.name}: support assistant, version {release.version}

{_gate(release)}- Base model: {release.model} (licence: {licence})
- Method: {_method(plan)}, learning rate {plan.learning_rate:g}, {plan.steps} steps planned
- Made: {release.made_at:%Y-%m-%d %H:%M} UTC

## Intended use

Answers to customers of this business, under its system prompt, disclosed as an AI, with a person to hand over to.
Not for medical, legal or financial advice, and not for other businesses.

## Data

{dataset.conversations} conversations imported; {audit.kept} kept ({splits});
set aside: {aside}; redacted: {redacted}.

## Figures on {scorecard.test_conversations} held-out conversations

{_figures(release, scorecard)}

{_parts(scorecard)}Generalisation gap: {scorecard.generalisation_gap:.3f} nats a token.

## Limits

A small model makes mistakes with facts, figures most of all; the figures above say how close its answers are to the agents',
not that they are right. Attacks and bias are tried with sets that find large differences only.

## Lineage

{chr(10).join(f"- {kind}: {identity}" for kind, identity in release.lineage.items())}
"""


def _gate(release: Release) -> str:
    """What the gate said, where it said anything."""
    lines = [f"**The gate warned:** {reason}." for reason in release.warnings]
    if told := release.overridden:
        lines.insert(0, f"**Released against the gate by {told.by}:** {told.reason} The gate said: {'; '.join(told.refused)}.")
    return "".join(f"{line}\n\n" for line in lines)


def _figures(release: Release, scorecard: Scorecard) -> str:
    """Every system's, and how far what serves is from the base model."""
    served = scorecard.served(release.passages)
    titles = [_SYSTEMS.get(name, name) for name in scorecard.systems]
    head = (
        f"| | {' | '.join(titles)} | {_SYSTEMS.get(served, served)} − base, 95% interval |\n|---|{'---|' * (len(titles) + 1)}\n"
    )
    return head + "\n".join(
        f"| {name} ({scorecard.systems['base'][name].better} is better) | "
        + " | ".join(f"{found[name].value:.3f}" if name in found else "" for found in scorecard.systems.values())
        + f" | {difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}] |"
        for name, difference in scorecard.differences[f"{served}-base"].items()
    )


def _parts(scorecard: Scorecard) -> str:
    """Languages and other tasks, where there are any."""
    rows = [
        f"| {name} ({part.examples}) | {metric} | {part.systems['base'][metric].value:.3f} "
        f"| {part.systems['tuned'][metric].value:.3f} | [{difference.low:+.3f}, {difference.high:+.3f}] |"
        for name, part in scorecard.parts.items()
        for metric, difference in part.differences.items()
    ]
    head = "| part (held out) | figure | base | tuned | difference, 95% interval |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n\n" if rows else ""
