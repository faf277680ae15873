"""docs/widget.md is the public contract: what it names is in the widget, what the widget has is named, recipes run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.contracts.snippets import DOCS, PHP, code, run

WIDGET = Path(__file__).parents[2] / "service" / "web" / "static" / "widget"
PAGE = (DOCS / "widget.md").read_text(encoding="utf-8")
SCRIPTS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(WIDGET.glob("*.js")))
STYLE = (WIDGET / "widget.css").read_text(encoding="utf-8")

# What the recipe needs of WordPress, as WordPress documents it; the page asks once for a fragment.
WORDPRESS = r"""<?php
class WP_Post { public function __construct(public int $ID) {} }
$hooks = []; $scripts = []; $asked = []; $kept = []; $case = [];
function add_filter($name, $act, $priority = 10) { global $hooks; $hooks[$name] = $act; }
function add_action($name, $act) { add_filter($name, $act); }
function __return_false() { return false; }
function is_singular($type) { return $type === 'post'; }
function in_the_loop() { return true; }
function is_main_query() { return true; }
function get_post() { return new WP_Post(42); }
function get_permalink($post) { return 'https://courier.example/?p=' . $post->ID . '&lang=de'; }
function get_the_title($post) { global $case; return $case['title']; }
function wp_strip_all_tags($text) { return trim(strip_tags($text)); }
function esc_attr($text) { return htmlspecialchars($text, ENT_QUOTES, 'UTF-8'); }
function wp_enqueue_script_module($id, $url) { global $scripts; $scripts[] = $url; }
function get_transient($name) { global $kept; return $kept[$name] ?? false; }
function set_transient($name, $value, $seconds) { global $kept; $kept[$name] = $value; }
function wp_remote_get($url, $options) { global $asked; $asked[] = $url; return $url; }
function wp_remote_retrieve_response_code($answer) { global $case; return $case['status']; }
function wp_remote_retrieve_body($answer) { global $case; return $case['fragment']; }
function page($title, $status, $fragment) {
    global $hooks, $scripts, $asked, $kept, $case;
    [$scripts, $asked, $kept] = [[], [], []];
    $case = ['title' => $title, 'status' => $status, 'fragment' => $fragment];
    $hooks['wp_enqueue_scripts']();
    $hooks['the_content']('<p>Story.</p>');
    return [$hooks['the_content']('<p>Story.</p>'), $scripts, $asked];
}
"""


def documented(section: str) -> set[str]:
    """The names in the first column of the tables under a heading."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([\w:-]+)(?:\(\))?` \|", text, re.MULTILINE))


class Element(HTMLParser):
    """The attributes of the widget's element in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.traits: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "firstword-comments":
            self.traits = dict(attrs)


def test_every_attribute_is_documented_and_there() -> None:
    read = set(re.findall(r"""(?:\.of|\bof|getAttribute)\("([\w-]+)\"""", SCRIPTS))
    observed = re.search(r"observedAttributes = \[(.*?)\]", SCRIPTS)
    assert observed
    read |= set(re.findall(r'"([\w-]+)"', observed[1])) | set(re.findall(r":host\(\[(theme)=", STYLE))
    of_the_second_element = {"days", "limit"}
    assert read - of_the_second_element <= documented("firstword-comments")
    assert all(f"`{name}`" in PAGE for name in of_the_second_element)
    properties = {"tokenCallback", "source", "wake", "refresh"}
    events = {f"firstword:{name}" for name in re.findall(r'emit\("([\w-]+)"', SCRIPTS)}
    assert documented("firstword-comments") == (read - of_the_second_element) | properties | events
    assert all(re.search(rf"\b{name}\b", SCRIPTS) for name in properties)


def test_every_custom_property_is_documented_and_there() -> None:
    there = set(re.findall(r"^  (--fw-[\w-]+):", STYLE, re.MULTILINE))
    looks = PAGE.split("\n## Looks\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`(--fw-[\w-]+)`", looks))
    named |= {f"{name}-wash" for name in ("--fw-ok", "--fw-wait", "--fw-no")}
    assert named == there


def test_every_documented_part_is_there() -> None:
    text = PAGE.split("Parts, for `::part()`:")[1].split("\n\n")[0]
    parts = set(re.findall(r"`([a-z]+)`", text))
    assert len(parts) > 25
    classes = set(
        re.findall(r"""["`.]([a-z]+)(?=[.\s"`$])""", " ".join(re.findall(r"""["`][\w$.{}+ ]+["`]""", SCRIPTS)))
    )
    assert parts - classes == set()


def test_the_wordpress_recipe_puts_the_element_and_its_fragment_below_the_story(tmp_path: Path) -> None:
    language = replace(PHP, before=WORDPRESS)
    snippet = code("widget.md", "WordPress").removeprefix("<?php\n")
    cases = [['“Line 6” & <b>more</b> "quoted"', 200, "<section>Nineteen bays.</section>"], ["Line 6", 503, "Down."]]
    (shown, scripts, asked), (down, _, _) = run(language, snippet, "page", cases, tmp_path)
    traits = {"site": "courier", "article": "post-42", "url": "https://courier.example/?p=42&lang=de"}
    assert Element(shown).traits == {**traits, "title": '“Line 6” & more "quoted"'}
    assert shown.startswith("<p>Story.</p><firstword-comments ")
    assert shown.endswith("><section>Nineteen bays.</section></firstword-comments>")
    assert scripts == ["https://comments.example/widget/embed.js"]
    (url,) = asked  # the second look at the page finds it kept
    assert url.startswith("https://comments.example/embed/fragment?")
    assert {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()} == traits
    assert down.endswith("></firstword-comments>")
