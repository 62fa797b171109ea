from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tailorbird import audit, import_conversations, plan, prices
from tailorbird.cli import app
from tailorbird.errors import SettingsError
from tailorbird.prices import Costs
from tailorbird.workspace import Workspace


def opened(shop: Path, *lines: str) -> Workspace:
    text = (shop / "tailorbird.yaml").read_text()
    (shop / "tailorbird.yaml").write_text("".join(f"{line}\n" for line in lines) + text)
    return Workspace(shop)


@pytest.mark.slow
def test_every_method_is_measured_and_every_way_priced(shop: Path) -> None:
    workspace = opened(shop)
    plan(workspace, audit(workspace, import_conversations(workspace)))
    shown = CliRunner().invoke(app, ["plan", "--costs", "-w", str(shop), "--json"])
    told = Costs.model_validate({name: value for name, value in json.loads(shown.stdout).items() if name != "plan"})
    assert [one.method for one in told.methods] == ["lora", "dora", "full", "prompt", "prefix"]
    assert all(one.memory_gb > 0 for one in told.methods)
    ways = {way.way: way for way in told.ways}
    hosted, gpu = ways["hosted tuning of GPT-4o mini"], ways["a rented H100"]
    assert hosted.training > 0
    assert gpu.minutes > 10, "starting a machine is paid for too"
    assert ways["retrieval on this machine, untuned"].answers > ways["this machine, its electricity"].answers > 0
    assert "hosted tuning of GPT-4o" in CliRunner().invoke(app, ["plan", "--costs", "-w", str(shop)]).stdout


def test_the_owners_prices_and_currency_count(shop: Path) -> None:
    known = prices.prices(shop)
    mine = yaml.safe_load((Path(prices.__file__).with_name("prices.yaml")).read_text())
    mine["here"]["per_kwh"] = 10 * mine["here"]["per_kwh"]
    mine["exchange"]["PLN"] = 3.6
    (shop / "prices.yaml").write_text(yaml.safe_dump(mine))
    changed = prices.prices(shop)
    assert changed.digest != known.digest == prices.prices(shop.parent).digest, "what was told of other prices is told anew"
    zloty = prices.rate_of(changed, "PLN")
    assert prices.here(60, changed, zloty) == pytest.approx(36 * prices.here(60, known, 1.0))
    assert prices.here(60, known, 1.0) == pytest.approx(known.here.watts / 1000 * known.here.per_kwh)


def test_prices_that_are_none_are_refused_in_words(shop: Path) -> None:
    with pytest.raises(SettingsError, match="no exchange rate for XXX"):
        prices.rate_of(prices.prices(shop), "XXX")
    (shop / "prices.yaml").write_text("date: 2026-01-01\nhere: {watts: many}\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        prices.prices(shop)
