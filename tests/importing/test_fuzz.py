"""Every export of the corpus, whole and damaged, is imported or refused in words; fuzz.py goes on for as long as you like."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_corpus_and_what_was_found_before(fuzz: ModuleType) -> None:
    for path in fuzz.corpus():
        for kind in [None, *fuzz.FORMATS] if path.name.startswith("found-") else [None]:
            assert fuzz.check(path.name, path.read_bytes(), kind) == "", (path.name, kind)


def test_no_damage_makes_an_import_crash(fuzz: ModuleType) -> None:
    chance = random.Random(7)
    for number in range(250):
        path = chance.choice(fuzz.corpus())
        raw = fuzz.damaged(path.read_bytes(), path.name, chance)
        assert fuzz.check(path.name, raw, chance.choice([None, *fuzz.FORMATS])) == "", (number, path.name)
