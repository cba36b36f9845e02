"""A real Chromium: Debian's, or any that is installed; tests that ask for one are skipped where there is none."""

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120_000  # milliseconds: machines are busy
ARGUMENTS = ["--disable-gpu", "--disable-extensions", "--disable-dev-shm-usage"]


class Visit:
    """A page that was opened, with all that went wrong in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.trouble: list[str] = []
        page.set_default_timeout(PATIENCE)
        self._tools = page.context.new_cdp_session(page)
        self._tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.on("console", lambda message: self.trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.trouble.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: self._watch(request.url))

    def _watch(self, address: str) -> None:
        if not address.startswith(("file:", "data:", "blob:")):
            self.trouble.append(f"request: {address}")

    def seconds(self) -> float:
        """What the page's main thread has worked so far: not what the machine had to do besides."""
        metrics = self._tools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    def faults(self) -> list[str]:
        """What axe-core finds against WCAG and its best practices: rule and elements."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]


Open = Callable[..., Visit]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a module's tests: while Playwright runs, no other event loop can."""
    binary = next((found for name in NAMES if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip(f"no Chromium is installed ({', '.join(NAMES)})")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("Playwright is not installed")
    from playwright.sync_api import sync_playwright

    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=[*ARGUMENTS, *alone], timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Open]:
    """Open a file: `visit(path, width=…, height=…, dark=…)`."""
    contexts = []

    def opened(file: Path, width: int = 1600, height: int = 900, dark: bool = False) -> Visit:
        size = {"width": width, "height": height}
        contexts.append(chromium.new_context(viewport=size, color_scheme="dark" if dark else "light"))
        seen = Visit(contexts[-1].new_page())
        seen.page.goto(file.resolve().as_uri(), timeout=PATIENCE)
        return seen

    yield opened
    for context in contexts:
        context.close()
