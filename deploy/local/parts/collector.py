"""A stub OTLP/HTTP collector for tests: every span it is sent becomes one JSON line in `spans.jsonl`."""

import http.server
import json
import pathlib
import threading


class Collector:
    def __init__(self, directory: pathlib.Path, port: int):
        self.path = directory / "spans.jsonl"
        self.path.touch()
        self.url = f"http://127.0.0.1:{port}"
        self.lock = threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.keep(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A service that was killed in the middle of a sentence is no news here."""

        self.server = Server(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, name="collector", daemon=True).start()

    def keep(self, body: dict) -> None:
        lines = []
        for resource in body.get("resourceSpans", []):
            attributes = {entry["key"]: entry["value"].get("stringValue") for entry in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                lines += [json.dumps({"service": attributes["service.name"], **span}) for span in scope["spans"]]
        with self.lock, open(self.path, "a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
