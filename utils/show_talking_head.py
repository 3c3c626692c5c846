"""Show what a .glb of text2lip does in three.js, in a headless browser: one row of pictures at the asked moments.

    npm install three                              # into ./node_modules
    pip install playwright                         # and a Chromium
    text2lip "Papa bought five blue shoes for Mama. Ah, do you think so?" --life 0 --output talk.glb
    python utils/show_talking_head.py talk.glb --at p=0.22 ah=2.66 oo=1.22 f=0.82 th=3.1 --output talk.png

Errors of the page end it. Needs no GPU: Chromium's own renderer draws.
"""

import argparse
import functools
import http.server
import io
import threading
from pathlib import Path


PAGE = """<!doctype html><body style="margin:0"><script type="importmap">{"imports": {
"three": "/node_modules/three/build/three.module.js", "three/addons/": "/node_modules/three/examples/jsm/"}}</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(420, 330);
document.body.append(renderer.domElement);
const scene = new THREE.Scene(), camera = new THREE.PerspectiveCamera(28, 420 / 330, 0.01, 10);
scene.background = new THREE.Color(0xb8c0c8);
const sun = new THREE.DirectionalLight(0xffffff, 2.2);
sun.position.set(0.4, 0.6, 1);
scene.add(new THREE.HemisphereLight(0xffffff, 0x887766, 1.6), sun);
camera.position.set(0, -0.085, 0.27);
const { scene: head, animations } = await new GLTFLoader().loadAsync("/talk.glb");
scene.add(head);
const mixer = new THREE.AnimationMixer(head), action = mixer.clipAction(animations[0]).setLoop(THREE.LoopOnce);
action.clampWhenFinished = true;
window.show = seconds => { action.reset().play(); mixer.setTime(seconds); renderer.render(scene, camera); };
window.ready = true;
</script>"""


class Files(http.server.BaseHTTPRequestHandler):
    """The page, the head, and what lies below `node_modules`."""

    def __init__(self, head: Path, modules: Path, *args):
        self.head, self.modules = head, modules
        super().__init__(*args)

    def do_GET(self):
        """Answer with a file, or that there is none."""
        path = self.path.split("?")[0]
        inside = (self.modules / path.removeprefix("/node_modules/")).resolve()
        if path == "/":
            data, kind = PAGE.encode(), "text/html"
        elif path == "/talk.glb":
            data, kind = self.head.read_bytes(), "model/gltf-binary"
        elif path.startswith("/node_modules/") and inside.is_file() and inside.is_relative_to(self.modules):
            data, kind = inside.read_bytes(), "text/javascript"
        else:
            return self.send_response(204) or self.end_headers()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        """Nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("glb", type=Path)
    parser.add_argument(
        "--at", nargs="+", default=["0"], metavar="NAME=SECONDS", help="moments, with names or without"
    )
    parser.add_argument("--modules", type=Path, default=Path("node_modules"), help="where npm put three")
    parser.add_argument("--chromium", help="its program (default: playwright's own)")
    parser.add_argument("--output", type=Path, default=Path("talk.png"))
    args = parser.parse_args()
    from PIL import Image, ImageDraw
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Files, args.glb, args.modules.resolve())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    errors, pictures = [], []
    with sync_playwright() as playwright:
        flags = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
        browser = playwright.chromium.launch(executable_path=args.chromium, args=flags)
        page = browser.new_page(viewport={"width": 420, "height": 330})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_function("window.ready", timeout=120_000)
        for moment in args.at:
            name, _, seconds = moment.rpartition("=")
            page.evaluate(f"window.show({float(seconds)})")
            picture = Image.open(io.BytesIO(page.locator("canvas").screenshot())).convert("RGB")
            ImageDraw.Draw(picture).text((6, 6), name, fill=(0, 0, 0))
            pictures.append(picture)
        browser.close()
    if errors:
        raise SystemExit("\n".join(errors))
    width, height = pictures[0].size
    row = Image.new("RGB", (width * len(pictures), height))
    for number, picture in enumerate(pictures):
        row.paste(picture, (number * width, 0))
    row.save(args.output)
    print(f"{args.output}: {', '.join(args.at)}")


if __name__ == "__main__":
    main()
