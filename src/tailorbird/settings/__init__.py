"""tailorbird.yaml: few fields, each explained, unknown keys refused."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from tailorbird.errors import SettingsError
from tailorbird.settings.audit import AuditSettings, SelectionSettings
from tailorbird.settings.business import BusinessSettings, SourceSettings, TaskSettings
from tailorbird.settings.evaluation import EvaluationSettings, HarnessSettings, JudgeSettings, ReleasingSettings
from tailorbird.settings.mistakes import explained
from tailorbird.settings.serving import (
    GUARDS,
    AlertSettings,
    GuardAction,
    HandOverSettings,
    LimitSettings,
    LogSettings,
    MailSettings,
    ServingSettings,
    UpstreamSettings,
    WebhookSettings,
    WordsSettings,
)
from tailorbird.settings.strict import Strict
from tailorbird.settings.training import PAIRS, ImprovingSettings, TrainingSettings

FILE = "tailorbird.yaml"

__all__ = [
    "FILE", "GUARDS", "PAIRS", "AlertSettings", "AuditSettings", "BusinessSettings", "EvaluationSettings", "GuardAction",
    "HandOverSettings", "HarnessSettings", "ImprovingSettings", "JudgeSettings", "LimitSettings", "LogSettings",
    "MailSettings", "ReleasingSettings", "SelectionSettings", "ServingSettings", "Settings", "SourceSettings",
    "TaskSettings", "TrainingSettings", "UpstreamSettings", "WebhookSettings", "WordsSettings", "load",
]  # fmt: skip


class Settings(Strict):
    """The whole of tailorbird.yaml."""

    business: BusinessSettings
    system_prompt: str = Field(min_length=1)
    """What the model is told before every conversation, in training and in service alike."""
    model: str = "smollm2-135m-instruct"
    """Base model: a name from `tailorbird models`, hf:owner/name, or a folder."""
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    """The currency of what a plan costs, for example EUR; exchange rates and prices are in prices.yaml."""
    sources: list[SourceSettings] = Field(default_factory=list)
    """The files to import, when `tailorbird import` names none."""
    tasks: dict[str, TaskSettings] = Field(default_factory=dict)
    """Other tasks for the same model by name, for example route or priority."""
    audit: AuditSettings = AuditSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    improving: ImprovingSettings = ImprovingSettings()
    releasing: ReleasingSettings = ReleasingSettings()
    serving: ServingSettings = ServingSettings()


def load(path: Path) -> Settings:
    """Reads tailorbird.yaml; raises SettingsError with the line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SettingsError(
            f"There is no file {path} to read.", fix="Run `tailorbird init FOLDER`, or name a workspace's folder with -w."
        ) from problem
    except UnicodeDecodeError as problem:
        raise SettingsError("The file is not UTF-8 text.", fix="Save it as UTF-8.", where=str(path)) from problem
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SettingsError(
            f"This is not valid YAML: {getattr(problem, 'problem', problem)}.",
            fix="Check indentation, colons and quotes around that line.",
            where=f"{path}{line}",
        ) from problem
    if isinstance(content, dict):  # a section whose lines are all commented out
        content = {field: value for field, value in content.items() if value is not None}
    try:
        return Settings.model_validate(content or {})
    except ValidationError as problem:
        misspelt_first = sorted(problem.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise explained(misspelt_first[0], Settings, tree, path) from problem
