"""What media jobs make, in a real browser: it plays, as an MP4 and as a rate of HLS, from signed addresses."""

import http.server
import json
import queue
import shutil
import subprocess
import threading

import pytest

from media_files import make_video
from test_media import ended, order, output, upload_video

PAGE = """<!doctype html><video muted></video><script>
const video = document.querySelector("video"), told = new Set();
const tell = (what, more) => { if (!told.has(what)) { told.add(what); fetch("/told", {method: "POST", body: JSON.stringify({what, ...more})}); } };
video.oncanplay = () => { tell("canplay", {width: video.videoWidth, duration: video.duration}); video.play(); };
video.ontimeupdate = () => { if (video.currentTime > 0.5) tell("plays", {at: video.currentTime}); };
video.onerror = () => tell("error", {message: video.error.message});
video.src = new URLSearchParams(location.search).get("src");
</script>"""


@pytest.fixture
def page():
    """A page that plays what it is asked to, and a queue of what it tells."""
    told: queue.Queue = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(PAGE.encode())

        def do_POST(self):
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")

        def answer(self, body: bytes):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", told
    server.shutdown()


def test_chromium_plays_what_was_made(member, page, tmp_path):
    from urllib.parse import quote

    asset = upload_video(member, make_video(tmp_path / "a.mp4", size="640x360", seconds=3))
    job = ended(member, order(member, type="transcode", assetId=asset, params={"cover": False})["jobId"])
    address, told = page
    for kind in ("mp4", "hls_rendition"):
        browser = subprocess.Popen(
            [shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--autoplay-policy=no-user-gesture-required", "--no-first-run", "--remote-debugging-port=0",
             f"--user-data-dir={tmp_path / kind}", f"{address}?src={quote(output(job, kind)['url'], safe='')}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            first = told.get(timeout=60)
            assert (first["what"], first.get("width")) == ("canplay", 640), first
            assert abs(first["duration"] - 3) < 0.1
            assert told.get(timeout=30)["what"] == "plays"
        finally:
            browser.kill()
            browser.wait()
