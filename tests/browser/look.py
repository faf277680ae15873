"""Every state of the widget and every page of the desk as pictures, in light and in dark: `make look`, to var/look.

With the page of a reference (`make look ARGS=path/to/widget.html`) each picture of it stands beside ours. For people to
look at; what can be checked without eyes is in `test_widget_for_everyone.py` and `test_desk_for_everyone.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from service.migrations import upgrade
from tests.browser import look_desk
from tests.browser.newspaper import Newspaper
from tests.parts import CHROMIUM, CHROMIUM_FLAGS

OUT = Path("var/look")
WIDTHS, SCHEMES = (320, 768, 1280), ("light", "dark")
ALONE = ("report", "report-under-the-law")


def main(reference: str | None = None) -> None:
    """Write the pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        database = f"sqlite:///{folder}/firstword.db"
        upgrade(database)
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM.require()), args=list(CHROMIUM_FLAGS))
        with Newspaper(database, DEVELOPMENT="1", DEMO="1") as newspaper:
            pages = {"states": f"{newspaper.url}/demo/states"}
            pages |= {state: f"{newspaper.url}/demo/states?state={state}" for state in ALONE}
            if reference:
                pages["reference"] = Path(reference).resolve().as_uri()
            for width in WIDTHS:
                for scheme in SCHEMES:
                    _draw(chromium, pages, width, scheme)
        of_desk = look_desk.draw(chromium, OUT)
        chromium.close()
    print(f"{len(pages) * len(WIDTHS) * len(SCHEMES) + of_desk} pictures in {OUT}/")


def _draw(chromium: Browser, pages: dict[str, str], width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    context = chromium.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    for name, address in pages.items():
        page.goto(address)
        if name != "reference":
            page.wait_for_selector("html[data-drawn]", timeout=60_000)
        page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png", full_page=name not in ALONE)
    context.close()


if __name__ == "__main__":
    main(*sys.argv[1:2])
