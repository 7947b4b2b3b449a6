"""The pictures of the front page: `python docs/pictures.py` makes all of them again, with the real model and
a real JupyterLab.

draws.png   what the model draws, each with its prompt; the seeds are 0, 1, 2, …, none was chosen
steps.png   one run from noise to picture
lesson.png  the first lesson in JupyterLab, all cells run (needs Chromium and playwright)"""

import argparse
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 300_000  # bytes of one picture
PROMPTS = [
    'a large red seven on a blue background',
    'a small yellow star on a purple background',
    'an orange 4 on white',
    'a big green heart on a yellow background',
    'a white moon on a black background',
    'a small blue three on an orange background',
    'a purple 8 on a green background',
    'a big black nine on a red background',
    'a yellow two on a black background',
    'a large blue circle on a white background',
    'a red triangle on a yellow background',
    'a white 5 on purple',
]


def small(image):
    "PNG bytes of a picture, with as many colours as `LARGEST` allows."
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        image.quantize(colours, dither=0).save(out, 'PNG', optimize=True)
        if out.tell() <= LARGEST:
            return out.getvalue()
    raise SystemExit(f'{image.size} does not fit into {LARGEST} bytes')


def cards(images, texts, cols=6, side=168, gap=12, radius=10):
    """Pictures with round corners and their words below. The ground is transparent, the words are grey:
    for light and dark pages."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(f'{get_data_path()}/fonts/ttf/DejaVuSans.ttf', 12)  # it has the Greek letters
    lines = [textwrap.wrap(t, side // 7) for t in texts]
    words = 17 * max(map(len, lines)) + 8
    rows = -(-len(images) // cols)
    out = Image.new(
        'RGBA', (cols * (side + gap) - gap, rows * (side + words + gap) - gap), (128, 128, 128, 0)
    )
    pen = ImageDraw.Draw(out)
    mask = Image.new('L', (4 * side, 4 * side))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * side - 1, 4 * side - 1), 4 * radius, fill=255)
    mask = mask.resize((side, side))
    for i, (image, text) in enumerate(zip(images, lines, strict=True)):
        x, y = i % cols * (side + gap), i // cols * (side + words + gap)
        out.paste(image.resize((side, side), Image.Resampling.LANCZOS), (x, y), mask)
        pen.text(
            (x + side / 2, y + side + 6),
            '\n'.join(text),
            (128, 128, 128, 255),
            font,
            anchor='ma',
            align='center',
        )
    return out


def draws(models):
    "Every prompt from the noise of its own number."
    from diffcourse import generate

    return cards(
        generate(models, PROMPTS, seed=list(range(len(PROMPTS))), record=False, progress=True).images, PROMPTS
    )


def steps(models, n=7):
    "A run as the sampler sees it (above) and as the network sees it (below)."
    from diffcourse import generate
    from diffcourse.base.show import number
    from diffcourse.pipeline.generate import decode_steps
    from diffcourse.widgets.figures import evenly, paired

    run = generate(models, PROMPTS[0], seed=1, progress=True)
    pairs = paired(run, decode_steps(models, run, 'x'), decode_steps(models, run, 'x0'))
    at = evenly(len(pairs), n)
    names = [f'step {i}: σ = {number(run.sigma[i])}' if i < len(run.t) else 'done' for i in at]
    return cards(
        [pairs[i][r] for r in (0, 1) for i in at],
        names + ['what it is taken for'] + [''] * (len(at) - 1),
        cols=n,
        side=142,
    )


COURSE = [sys.executable, '-c', 'import sys; from diffcourse.commands.cli import main; sys.exit(main())']
READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    window.jupyterapp.commands.execute('application:toggle-left-area');
    window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""
ALL_RUN = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code');
    const wrong = o => o.output_type == 'error';
    if (cells.some(c => c.model.outputs.toJSON().some(wrong))) return true;
    const full = cells.filter(c => c.model.sharedModel.getSource().trim());
    const indicator = document.querySelector('.jp-Notebook-ExecutionIndicator');
    return full.every(c => c.model.executionCount !== null) && indicator.dataset.status == 'idle';
}"""
ERRORS = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code');
    const wrong = cells.flatMap(c => c.model.outputs.toJSON()).filter(o => o.output_type == 'error');
    return wrong.map(o => o.ename + ': ' + o.evalue);
}"""
SHOW_SCRUBBER = """() => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const i = notebook.widgets.findIndex(c => c.model.sharedModel.getSource().includes('scrubber('));
    notebook.activeCellIndex = i;
    notebook.scrollToItem(i, 'start');
}"""


def screenshot(page, address):
    "Run the lesson that `address` opens, pull its slider to where noise has become a picture, and look."
    page.set_default_timeout(180_000)
    page.goto(address)
    page.wait_for_selector('.jp-Notebook .jp-Cell')
    page.evaluate(READY)
    page.wait_for_function(ALL_RUN, timeout=1_800_000)
    errors = page.evaluate(ERRORS)
    if errors:
        raise SystemExit(f'the lesson stopped: {errors[0]}')
    page.evaluate(SHOW_SCRUBBER)
    page.locator('.jp-Cell.jp-mod-active .noUi-handle').first.focus()
    for _ in range(14):
        page.keyboard.press('ArrowRight')
    page.wait_for_timeout(2000)
    return page.screenshot()


def lesson():
    "Start the lab as a learner does, run the whole lesson, and look."
    from PIL import Image
    from playwright.sync_api import sync_playwright

    kinds = ('_CONFIG', '_DATA', '_RUNTIME', 'LAB_SETTINGS', 'LAB_WORKSPACES')
    with tempfile.TemporaryDirectory() as d:
        copy = shutil.copy(ROOT / 'nbs/lessons/00_start.ipynb', d)  # JupyterLab saves what it has run
        command = [*COURSE, 'lab', copy, '--no-browser', '--jupyter=--LabApp.expose_app_in_browser=True']
        env = os.environ | {f'JUPYTER{k}_DIR': f'{d}/{k}' for k in kinds}
        lab = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
        try:
            address = re.search(r'http\S+', lab.stdout.readline())[0]
            with sync_playwright() as p:
                browser = p.chromium.launch(executable_path='/usr/bin/chromium', args=['--no-sandbox'])
                shot = screenshot(browser.new_page(viewport=dict(width=1280, height=860)), address)
                browser.close()
        finally:
            lab.send_signal(signal.SIGINT)
            lab.wait(60)
    return Image.open(io.BytesIO(shot)).convert('RGB')


if __name__ == '__main__':
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument(
        'names', nargs='*', default=['draws', 'steps', 'lesson'], help='draws, steps, lesson (all of them)'
    )
    read.add_argument('--model', help='by default what settings.ini says')
    read.add_argument('--out', type=Path, default=ROOT / 'nbs/images')
    given = read.parse_args()
    from diffcourse import load_models

    given.out.mkdir(parents=True, exist_ok=True)
    models = load_models(given.model) if {'draws', 'steps'} & set(given.names) else None
    for name in given.names:
        data = small(lesson() if name == 'lesson' else dict(draws=draws, steps=steps)[name](models))
        (given.out / f'{name}.png').write_bytes(data)
        print(given.out / f'{name}.png', f'{len(data) / 1000:.0f} kB')
