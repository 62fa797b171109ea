"""What a candidate has to pass before it may serve customers: each rule has a name, a reason in words, and the owner's say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from tailorbird import privacy
from tailorbird.artifacts import COMPARED, PROBES, Audit, Candidate, Comparison, Scorecard
from tailorbird.errors import SettingsError
from tailorbird.lessons.canaries import CANARIES
from tailorbird.progress import Progress, silent
from tailorbird.settings import ReleasingSettings
from tailorbird.workspace import PRODUCTION, Workspace, read_conversations

Action = Literal["refuse", "warn", "ignore"]
"""Keep the candidate from being released, release it with a warning on its card, or say nothing."""

FEWEST_TESTED = 8
_WITH_DOCUMENTS = ("knowledge", "both")  # systems of the scorecard
_PRIVATE = frozenset(privacy.KINDS) - {"PERSON", "EMAIL", "PHONE", "ADDRESS"}  # these four a business has itself


class Rule(NamedTuple):
    """A rule in the owner's words, and what it does unless the settings say otherwise."""

    title: str
    action: Action


class Objection(NamedTuple):
    """Why a rule is not passed."""

    rule: str
    reason: str


RULES: dict[str, Rule] = {
    "few_tested": Rule(f"fewer than {FEWEST_TESTED} conversations were held out", "refuse"),
    "not_better": Rule("not better than the base model on the figures of releasing.better_than_base", "refuse"),
    "worse": Rule("what will serve, with documents or without, is worse than the base model on a figure", "refuse"),
    "worse_than_production": Rule("worse than the version in production", "refuse"),
    "not_better_than_production": Rule("not better than production on what releasing.better_than_production names", "refuse"),
    "not_compared": Rule("never compared with the version in production", "warn"),
    "planted": Rule("secrets were planted in it to measure what is learned by heart", "refuse"),
    "erased": Rule("a customer who was erased is in its data", "refuse"),
    "personal_data": Rule("cards, accounts, papers or passwords are left in what it learned from", "refuse"),
    "forgetting": Rule("it forgot general text or questions", "refuse"),
    "leak": Rule("it repeats what it learned from, or personal data", "refuse"),
    "safety": Rule("it gives in to more attacks than the base model", "refuse"),
    "overfitting": Rule("it does much better on what it learned than on what was held out", "warn"),
    "bias": Rule("customers who differ in one thing are answered differently", "warn"),
    "not_measured": Rule("forgetting, leaks or attacks were not measured", "warn"),
}


def objections(workspace: Workspace, scorecard: Scorecard, progress: Progress = silent) -> dict[Action, list[Objection]]:
    """What speaks against releasing a candidate, by what the settings make of it; a rule that is ignored is not listed.

    Raises SettingsError for a rule, figure or part that does not exist.
    """
    wanted = workspace.settings.releasing
    _refuse_unknown("releasing.rules", wanted.rules, RULES)
    _refuse_unknown("releasing.better_than_base", wanted.better_than_base, scorecard.differences["tuned-base"])
    found: dict[Action, list[Objection]] = {"refuse": [], "warn": []}
    served = scorecard.served(with_passages(workspace, scorecard))
    for one in [*of_scorecard(scorecard, served, wanted), *_of_production(workspace, scorecard, wanted),
                *_of_data(workspace, scorecard, progress)]:  # fmt: skip
        action = wanted.rules.get(one.rule, RULES[one.rule].action)
        if action != "ignore":
            found[action].append(one)
    return found


def with_passages(workspace: Workspace, scorecard: Scorecard) -> bool:
    """Whether this candidate will be shown the documents in service."""
    shown = workspace.settings.serving.passages
    return shown == "always" or (shown == "auto" and scorecard.use in _WITH_DOCUMENTS)


def of_scorecard(scorecard: Scorecard, served: str, wanted: ReleasingSettings) -> Iterator[Objection]:
    """What the figures say.

    That tuning is worth it is asked of the model alone. That nothing gets worse is asked of the system that customers meet:
    a model that makes up prices when it is shown no documents may be the better one with them.
    """
    if (tested := scorecard.test_conversations) < FEWEST_TESTED:
        few = f"only {tested} conversations were held out, and fewer than {FEWEST_TESTED} prove nothing"
        yield Objection("few_tested", few)
    for figure in wanted.better_than_base:
        if figure not in scorecard.better["tuned-base"]:
            one = scorecard.differences["tuned-base"][figure]
            yield Objection(
                "not_better",
                f"its {figure.replace('_', ' ')} on held-out conversations is not better than the base model's "
                f"({one.value:+.3f}, 95% interval {one.low:+.3f} to {one.high:+.3f})",
            )
    worse = scorecard.worse.get(f"{served}-base", scorecard.worse["tuned-base"])  # older scorecards have the latter only
    if worse:
        shown = ", shown your documents," if served == "both" else ""
        yield Objection("worse", f"it is{shown} worse than the base model on {', '.join(worse)}")
    if CANARIES in scorecard.parts:
        yield Objection("planted", "secrets were planted in it: set training.canaries to 0, plan and train again")
    for line in scorecard.concerns:
        rule, _, reason = line.partition(": ")
        yield Objection(rule, reason.rstrip("."))
    missing = [rule for rule, part in PROBES.items() if part not in scorecard.parts]
    if missing:
        yield Objection("not_measured", f"the scorecard says nothing about {', '.join(missing)}: see evaluation in the settings")


def _of_production(workspace: Workspace, scorecard: Scorecard, wanted: ReleasingSettings) -> Iterator[Objection]:
    """How the candidate compares with what serves, unless nothing does or it is that itself."""
    production, candidate = workspace.alias(PRODUCTION), workspace.ancestor(scorecard, Candidate)
    serving = workspace.get(production) if production else None
    if serving is None or candidate.id in serving.made_from:
        return
    newest = workspace.current(Comparison)  # that which was asked for last
    if newest is None or newest.made_from != (candidate.id, production):
        newest = next((one for one in reversed(workspace.all(Comparison)) if one.made_from == (candidate.id, production)), None)
    if newest is None:
        yield Objection("not_compared", "it was not compared with the version in production: run tailorbird compare")
        return
    if newest.worse:
        yield Objection("worse_than_production", f"it is worse than the version in production on {' and '.join(newest.worse)}")
    figures = [name for name in scorecard.differences["tuned-base"] if name != "loss"]
    _refuse_unknown("releasing.better_than_production", wanted.better_than_production, [*COMPARED, *figures])
    if less := [name for name in wanted.better_than_production if name not in newest.better]:
        yield Objection("not_better_than_production", f"it is not better than the version in production on {' and '.join(less)}")


def _of_data(workspace: Workspace, scorecard: Scorecard, progress: Progress) -> Iterator[Objection]:
    """What the candidate learned from. Made-up data in the place of personal data is not told from it, so none is looked for."""
    candidate, audit = workspace.ancestor(scorecard, Candidate), workspace.ancestor(scorecard, Audit)
    if reason := workspace.retraining.get(candidate.id):
        yield Objection("erased", f"it has to be trained again ({reason})")
    if workspace.settings.audit.surrogates:
        return
    learned = read_conversations(workspace.path(audit) / "train.jsonl")
    keep = workspace.settings.audit.keep
    private: dict[str, int] = {}
    with progress("Looking for personal data in what was learned", len(learned)) as advance:
        for one in learned:
            for text in (turn.content for turn in one.turns if turn.role != "system"):
                for found in privacy.find(text, one.language):
                    if found.kind in _PRIVATE and text[found.start : found.end] not in keep:
                        private[found.kind] = private.get(found.kind, 0) + 1
            advance(1)
    if private:
        counted = ", ".join(f"{n} {kind}" for kind, n in private.items())
        yield Objection("personal_data", f"{counted} are left in the conversations that it learned from")


def _refuse_unknown(field: str, told: Iterable[str], known: Iterable[str]) -> None:
    names = list(known)
    for name in told:
        if name not in names:
            raise SettingsError(f"{field} names {name!r}, which there is not.", fix=f"There are: {', '.join(names)}.")
