"""Make the pictures of docs/source/en/demo.md: the page of `text2lip demo` at a desk and on a phone.

python utils/make_demo_pictures.py

Needs the extra `demo`, `pip install playwright` and a Chromium (Debian: apt-get install chromium). Only the built-in
portrait of nobody is shown.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image


OUTPUT = Path(__file__).parents[1] / "docs/source/en/imgs"
SIZES = {"demo": (1280, 900), "demo_phone": (390, 844)}
SENTENCE = "Good morning. Maybe we meet by the pond."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the pictures")
    args = parser.parse_args()

    from playwright.sync_api import sync_playwright

    from text2lip import Text2LipPipeline
    from text2lip.demo.server import launch

    served = launch(Text2LipPipeline.from_pretrained("text2lip-grid"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=dict(zip(("width", "height"), SIZES["demo"])), device_scale_factor=1)
        page.goto(served.local_url)
        page.get_by_label("Text").first.fill(SENTENCE)
        page.locator("#make").click()
        page.locator("#film video").wait_for(timeout=300_000)
        page.wait_for_function("document.querySelector('#film video').ended", timeout=60_000)
        page.evaluate("document.querySelector('#film video').currentTime = 1.1")
        for name, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.mouse.move(1, 1)
            page.wait_for_timeout(1500)
            page.evaluate("document.querySelector('#timeline .scroll').scrollLeft = 0")
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
            if name == "demo":
                picture = picture.resize(
                    (1000, round(1000 * picture.height / picture.width)), Image.Resampling.LANCZOS
                )
            picture.save(args.output / f"{name}.jpg", quality=82, optimize=True, progressive=True)
        browser.close()
    served.close(verbose=False)


if __name__ == "__main__":
    main()
