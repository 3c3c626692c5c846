"""How the page looks, without anything from elsewhere."""

from pathlib import Path

import gradio as gr

from text2lip.faces.builtin import builtin_portrait


NOBODIES = (builtin_portrait(), *sorted((Path(__file__).parents[1] / "assets" / "people").glob("*.jpg")))
"""Portraits of people who do not exist."""


def theme() -> gr.themes.Base:
    """Gradio's own, with the fonts of the system and with letters that can be read."""
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    base = gr.themes.Default(primary_hue="blue", neutral_hue="slate", **fonts)
    filled = {f"button_primary_background_fill{mode}": "*primary_700" for mode in ("", "_dark")}
    filled |= {f"button_primary_background_fill_hover{mode}": "*primary_800" for mode in ("", "_dark")}
    filled |= {"button_primary_text_color": "white", "button_primary_text_color_dark": "white"}
    grey = {"block_info_text_color": "*neutral_600", "block_label_text_color": "*neutral_700"}
    grey |= {"block_title_text_color": "*neutral_700", "input_placeholder_color": "*neutral_500"}
    return base.set(**filled, **grey, block_info_text_color_dark="*neutral_300")


CSS = """
.gradio-container { width: 100%; max-width: 1180px !important; margin: 0 auto !important; }
#consent p { font-size: 0.85rem; opacity: 0.8; }
#status progress { width: 100%; height: 0.8rem; accent-color: var(--primary-600, #2563eb); }
#status p { margin: 0.25rem 0; }
#status [role="alert"] { border-left: 4px solid #dc2626; padding: 0.25rem 0.75rem; }
#status [role="status"] { border-left: 4px solid #16a34a; padding: 0.25rem 0.75rem; }
#timeline .scroll { overflow-x: auto; contain: inline-size; background: white; border-radius: 8px; padding: 4px; }
#timeline .time { position: relative; }
#timeline svg { display: block; width: 100%; height: auto; }
#timeline .head { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: #dc2626; display: none; }
:focus-visible { outline: 3px solid #2563eb !important; outline-offset: 2px; }
"""

PLAYHEAD = """
const follow = () => {
  const time = element.querySelector(".time"), film = document.querySelector("#film video");
  if (time && film && film.duration) {
    const head = time.querySelector(".head"), data = time.dataset;
    const share = Number(data.left) + Number(data.width) * Math.min(film.currentTime / Number(data.seconds), 1);
    head.style.left = share * 100 + "%";
    head.style.display = "block";
    const box = time.parentElement, x = share * time.clientWidth;
    if (!film.paused && (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth - 20)) box.scrollLeft = x - 80;
  }
  requestAnimationFrame(follow);
};
follow();
element.addEventListener("click", (event) => {
  const time = event.target.closest(".time"), film = document.querySelector("#film video");
  if (!time || !film) return;
  const box = time.getBoundingClientRect(), data = time.dataset;
  const share = ((event.clientX - box.left) / box.width - Number(data.left)) / Number(data.width);
  film.currentTime = Math.max(0, Math.min(1, share)) * Number(data.seconds);
});
"""
"""A line over the time line that goes with the film; a click there goes to that moment."""

NAMED_SAMPLES = """
() => {
  const name = () => {
    const samples = document.querySelectorAll("#samples button");
    samples.forEach((sample, number) => sample.setAttribute("aria-label", `Person ${number + 1}, who does not exist`));
    if (!samples.length) setTimeout(name, 200);
  };
  name();
}
"""
"""Names of the sample portraits for those who hear the page."""
