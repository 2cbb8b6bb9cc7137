"""Look at the built pages in a headless browser, and at their links::

    python docs/check_pages.py docs/_build [--browser chromium] [--screenshots DIR]

Every page is opened at 1280 and at 390 pixels. A page fails if it is wider than the window, if
something sticks out of it that cannot be scrolled, if parts of the header overlap, if the console
shows an error, or if a link leads to a page or a place that is not there. Links to other sites are
not followed. Needs a Chromium or Chrome; nothing is fetched from the network.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

WIDTHS = (1280, 390)
SECONDS_A_PAGE = 20

# Runs at the top of every page: errors are kept, and reported with what sticks out.
PROBE = """<script>(() => {
  const errors = [];
  const keep = text => { if (!/net::/.test(text)) errors.push(String(text)); };
  addEventListener("error", event => {
    const source = event.target && (event.target.src || event.target.href);
    if (!source) keep(event.message);
    else if (source.startsWith(location.origin)) keep("not loaded: " + source);
  }, true);
  addEventListener("unhandledrejection", event => keep(event.reason));
  const written = console.error;
  console.error = (...args) => { keep(args.join(" ")); written(...args); };
  const scrolls = element => {  // what only a machine reads is hidden in a box of no size
    for (let e = element; e && !e.matches(".bd-main, .bd-header"); e = e.parentElement)
      if (/auto|scroll/.test(getComputedStyle(e).overflowX) || e.clientWidth === 1) return true;
    return false;
  };
  const visible = e => { const b = e.getBoundingClientRect();
    return b.width > 1 && b.height > 1 && getComputedStyle(e).visibility !== "hidden"; };
  const name = e => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined
    ? "." + String(e.className).trim().split(/\\s+/).join(".") : "") + ": "
    + (e.textContent || "").trim().slice(0, 40);
  addEventListener("load", () => setTimeout(() => {
    const width = document.documentElement.clientWidth;
    const wide = document.documentElement.scrollWidth > width + 1
      ? ["the page is " + document.documentElement.scrollWidth + " wide"] : [];
    for (const e of document.querySelectorAll(".bd-main *, .bd-header *"))
      if (visible(e) && e.getBoundingClientRect().right > width + 1 && !scrolls(e))
        wide.push("sticks out: " + name(e));
    const header = [...document.querySelectorAll(
      ".bd-header .navbar-brand, .bd-header .nav-link, .bd-header button")].filter(visible);
    for (const a of header) for (const b of header) {
      if (a === b || a.contains(b) || b.contains(a)) continue;
      const p = a.getBoundingClientRect(), q = b.getBoundingClientRect();
      if (p.left < q.right - 2 && q.left < p.right - 2
          && p.top < q.bottom - 2 && q.top < p.bottom - 2)
        wide.push("overlaps: " + name(a) + " and " + name(b));
    }
    parent.postMessage({faults: [...new Set(wide)].slice(0, 5).concat(errors)}, "*");
  }, 150));
})();</script>"""

# Opens one page after the other in a frame of each width.
DRIVER = """<!doctype html><body style="margin:0"><script>
const pages = PAGES, widths = WIDTHS, found = [];
const open = (page, width) => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.style.cssText = `border:0;width:${width}px;height:900px`;
  const end = faults => { removeEventListener("message", hear); clearTimeout(late); frame.remove();
    found.push({page, width, faults}); done(); };
  const hear = event => { if (event.source === frame.contentWindow) end(event.data.faults); };
  const late = setTimeout(() => end(["was not loaded in time"]), LATE);
  addEventListener("message", hear);
  frame.src = "/" + page;
  document.body.append(frame);
});
(async () => {
  for (const page of pages) for (const width of widths) await open(page, width);
  await fetch("/__found__", {method: "POST", body: JSON.stringify(found)});
})();
</script>"""


class _Page(HTMLParser):
    """Addresses that a page links to, and places in it that can be linked to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.places = [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places.update(attrs[key] for key in ("id", "name") if attrs.get(key))
        link = attrs.get("href" if tag in ("a", "link") else "src")
        if link:
            self.links.append(link)


def broken_links(root, pages):
    """Links of the pages that lead nowhere, as text."""
    parsed = {page: _Page((root / page).read_text(encoding="utf-8")) for page in pages}
    for page, own in parsed.items():
        for link in own.links:
            if ":" in link.split("/")[0] or link.startswith("//"):
                continue
            target, place = urldefrag(urljoin("/" + page, link))
            target = unquote(target.split("?")[0]).lstrip("/") or "index.html"
            if not (root / target).is_file():
                yield f"{page}: no file for {link}"
            elif target in parsed and unquote(place) not in parsed[target].places:
                yield f"{page}: no such place: {link}"


def _handler(root, pages, answer):
    driver = DRIVER.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps(WIDTHS))
    driver = driver.replace("LATE", str(1000 * SECONDS_A_PAGE)).encode()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(root))

        def do_GET(self):
            page = unquote(self.path.split("?")[0]).lstrip("/")
            if page == "__check__":
                return self._send(driver)
            if page in pages:
                text = (root / page).read_text(encoding="utf-8")
                return self._send(text.replace("<head>", "<head>" + PROBE, 1).encode())
            return super().do_GET()

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            answer["found"] = json.loads(self.rfile.read(length))
            self._send(b"")
            answer["done"].set()

        def _send(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    return Handler


def _browser(command, profile):
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options += [
        "--window-size=1400,1000",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    return [command, *options, f"--user-data-dir={profile}"]


def look(root, pages, command):
    """Faults of the pages at each width, as text."""
    answer = {"done": threading.Event()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(root, pages, answer))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/__check__"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [*_browser(command, profile), "--remote-debugging-port=0", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            finished = answer["done"].wait(60 + SECONDS_A_PAGE * len(pages) * len(WIDTHS))
        finally:
            browser.terminate()
            browser.wait(30)
            server.shutdown()
    if not finished:
        yield "the browser gave no answer"
    for own in answer.get("found", ()):
        for fault in own["faults"]:
            yield f"{own['page']} at {own['width']}: {fault}"


def take_screenshots(root, pages, command, folder):
    """Write a picture of each page at each width."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for width in WIDTHS:
            out = folder / f"{page.replace('/', '_').removesuffix('.html')}-{width}.png"
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
                options = [f"--screenshot={out}", f"--window-size={max(width, 500)},1800"]
                address = (root / page).absolute().as_uri()
                if width < 500:  # a headless window has at least 500 pixels: a frame has fewer
                    frame = Path(profile) / "frame.html"
                    style = f"border:0;width:{width}px;height:1790px"
                    frame.write_text(
                        f'<body style="margin:0"><iframe src="{address}" style="{style}">'
                    )
                    address = frame.as_uri()
                subprocess.run(
                    [*_browser(command, profile), *options, address],
                    capture_output=True,
                    timeout=60,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", type=Path, help="folder of the built documentation")
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of --only")
    parser.add_argument("--only", nargs="+", help="pages to look at, as index.html")
    options = parser.parse_args()
    root = options.pages
    every = sorted(
        str(path.relative_to(root)) for path in root.rglob("*.html") if "_static" not in path.parts
    )
    chosen = options.only or every
    faults = [*broken_links(root, every), *look(root, chosen, options.browser)]
    if options.screenshots:
        take_screenshots(root, chosen, options.browser, options.screenshots)
    print(*faults, sep="\n")
    print(f"{len(chosen)} pages at {len(WIDTHS)} widths: {len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
