"""A Hub on this machine: the few endpoints that uploading and loading a model need."""

import base64
import json
import threading
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


COMMIT = "c0ffee" * 6 + "beef"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body: bytes = b"{}", status: int = 200, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), "X-Repo-Commit": COMMIT, **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        self.server.requests.append((self.command, self.path))
        path = self.path.split("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"] and len(path) >= 4:
            folder = self.server.root / path[2] / path[3]
            if folder.is_dir() and path[4:5] == ["tree"]:
                return self.answer(json.dumps(tree(folder)).encode(), Content_Type="application/json")
            if folder.is_dir():
                return self.answer(json.dumps(describe(folder)).encode(), Content_Type="application/json")
        elif "resolve" in path:
            file = self.server.root / path[0] / path[1] / "/".join(path[4:])
            if file.is_file():
                data = file.read_bytes()
                return self.answer(data, ETag=f'"{sha1(data).hexdigest()}"')
            if (self.server.root / path[0] / path[1]).is_dir():
                return self.answer(status=404, X_Error_Code="EntryNotFound")
        self.answer(status=404, X_Error_Code="RepoNotFound")

    do_HEAD = do_GET

    def do_POST(self):
        self.server.requests.append((self.command, self.path))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0].strip("/").split("/")
        if path == ["api", "repos", "create"]:
            wanted = json.loads(body)
            repo = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
            (self.server.root / repo).mkdir(parents=True, exist_ok=True)
            reply = {"url": f"{self.server.url}/{repo}", "name": repo}
        elif path == ["api", "validate-yaml"]:
            reply = {"errors": [], "warnings": []}
        elif path[4:5] == ["preupload"]:
            files = [{"path": f["path"], "uploadMode": "regular"} for f in json.loads(body)["files"]]
            reply = {"files": [{**file, "shouldIgnore": False, "oid": None} for file in files]}
        elif path[4:5] == ["commit"]:
            for line in filter(None, body.split(b"\n")):
                entry = json.loads(line)
                if entry["key"] == "file":
                    file = self.server.root / path[2] / path[3] / entry["value"]["path"]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(base64.b64decode(entry["value"]["content"]))
            reply = {"commitUrl": f"{self.server.url}/me/x/commit/{COMMIT}", "commitOid": COMMIT, "hookOutput": ""}
        else:
            return self.answer(status=404)
        self.answer(json.dumps(reply).encode(), Content_Type="application/json")


def describe(folder: Path) -> dict:
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    name = f"{folder.parent.name}/{folder.name}"
    return {"id": name, "modelId": name, "sha": COMMIT, "tags": [], "siblings": [{"rfilename": f} for f in files]}


def tree(folder: Path) -> list[dict]:
    files = [(file, file.read_bytes()) for file in sorted(folder.rglob("*")) if file.is_file()]
    return [
        {"type": "file", "path": f.relative_to(folder).as_posix(), "size": len(data), "oid": sha1(data).hexdigest()}
        for f, data in files
    ]


@pytest.fixture
def hub(tmp_path):
    """The server; `root` holds its repositories, `url` is its address, `requests` what was asked of it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.root, server.requests = tmp_path / "hub", []
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.root.mkdir()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
