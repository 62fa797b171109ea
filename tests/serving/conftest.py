"""A browser, a shop on the web and a page for the tests of what runs in one; others have a `shop` of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Shop, chromium, quiet_page, shop_on_the_web


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_on_the_web(tmp_path) as made:
        yield made


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with quiet_page(browser) as made:
        yield made
