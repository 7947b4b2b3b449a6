"""All fourteen kinds in a real JupyterLab, answered from the keyboard; axe looks at the panel in both
themes, wide and narrow."""

import json
import os
import shutil
import subprocess
import tarfile
import time

import pytest

from conftest import ROOT
from lab_server import READY, RUN_ALL, lab_on

pytestmark = pytest.mark.slow

MS = 1000 * float(os.environ.get('PATIENCE', 1))  # a busy machine is slow, not broken
AXE = 'axe-core@4.14.1'
CELL = """import sys; sys.path.insert(0, {tests!r})
from types import SimpleNamespace
import quiz_lab
sys.modules['diffcourse.quiz.sandbox.code'] = SimpleNamespace(mark_code=quiz_lab.mark_code)
from diffcourse import Quiz
quiz = Quiz('good.yaml', registry=quiz_lab.lab); quiz.show()"""


@pytest.fixture(scope='module')
def axe():
    "The script of axe-core, fetched once."
    file = ROOT / '.cache/npm' / AXE / 'axe.min.js'
    if file.exists():
        return file.read_text(encoding='utf-8')
    npm = shutil.which('npm')
    if not npm:
        (pytest.fail if os.environ.get('CI') else pytest.skip)(
            'npm is not installed, so axe-core is not there'
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    r = subprocess.run(
        [npm, 'pack', '--silent', AXE], cwd=file.parent, capture_output=True, text=True, timeout=300
    )
    assert r.returncode == 0, r.stderr[-500:]
    pack = file.parent / r.stdout.split()[-1]
    with tarfile.open(pack) as tar:
        file.write_bytes(tar.extractfile('package/axe.min.js').read())
    pack.unlink()
    return file.read_text(encoding='utf-8')


@pytest.fixture
def lab(tmp_path):
    "`diffcourse lab` on a notebook with the questionnaire. The address that it prints."
    import quiz_lab

    (tmp_path / 'good.yaml').write_text(quiz_lab.EVERYTHING, encoding='utf-8')
    cell = dict(
        cell_type='code',
        execution_count=None,
        id='a',
        metadata={},
        outputs=[],
        source=CELL.format(tests=str(ROOT / 'tests')),
    )
    kernel = dict(name='python3', display_name='Python 3', language='python')
    notebook = dict(cells=[cell], metadata=dict(kernelspec=kernel), nbformat=4, nbformat_minor=5)
    file = tmp_path / 'panel.ipynb'
    file.write_text(json.dumps(notebook))
    with lab_on(file, PYTHONPATH=str(ROOT)) as address:
        yield address


FOCUS = """() => {
    const e = document.activeElement;
    const label = e.labels && e.labels[0] ? e.labels[0].textContent.trim() : '';
    return [e.type || e.tagName, e.textContent.trim() || label, e.value];
}"""


class Keyboard:
    "A person without a mouse."

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        for k in keys:
            self.page.keyboard.press(k)

    def type(self, text):
        self.page.keyboard.type(text)

    def here(self):
        "What has the focus: what it is, and its label."
        return self.page.evaluate(FOCUS)


def options(page, id):
    return page.locator(f'.dc-card:has(h4 small:text-is("{id}")) .widget-radio-box label').all_inner_texts()


def card(page, id):
    return page.locator(f'.dc-card:has(h4 small:text-is("{id}"))')


def fill(page, keys, id, given):
    "Answer the question whose first input has the focus."
    kind = keys.here()[0]
    if kind == 'radio':
        wanted = [given in t for t in options(page, id)].index(True)
        keys.press('Space', *['ArrowDown'] * wanted)
    elif kind == 'checkbox':
        for n, text in enumerate(card(page, id).locator('.widget-checkbox').all_inner_texts()):
            if n:
                keys.press('Tab')
            if text.strip() in given:
                keys.press('Space')
    elif kind == 'textarea':
        keys.press('Control+a')
        keys.type(given)
    else:
        for n, part in enumerate(given if isinstance(given, list) else [given]):
            if n:
                keys.press('Tab')
            keys.type(part)


ANSWERS = {
    'share': '0.25',
    'effect': 'It raises it',
    'which': ['It is mixed', 'It rises'],
    'latents': '1, 4, 16, 8',
    'named': 'variance',
    'gaps': ['0.25', 'mixed', 'var'],
    'pairs': ['first', 'second'],
    'sorted': ['first', 'third', 'second'],
    'picture': ': A red square',
    'guess': '0.25',
    'find': '0.6',
    'half': 'def half(x): return x/2',
    'why': 'It begins with noise and goes in small steps.',
    'think': 'The noise.',
}


def answer_all(page, keys):
    """Every question, from the keyboard: to the input, fill it, to Check, press it, and the focus is still
    there."""
    page.locator('.dc-card input').first.evaluate(
        'e => e.focus()'
    )  # where Tab led; from here on without help
    for n, (id, given) in enumerate(ANSWERS.items()):
        if n:
            for _ in range(12):
                if page.evaluate(
                    (
                        'id => document.activeElement.matches("input, select, textarea") && '
                        'document.activeElement.closest(".dc-card")?.querySelector("h4 small").textContent '
                        '== id'
                    ),
                    id,
                ):
                    break
                keys.press('Tab')
        assert (
            page.evaluate(
                '() => document.activeElement.closest(".dc-card")?.querySelector("h4 small").textContent'
            )
            == id
        )
        fill(page, keys, id, given)
        while id != 'named' and keys.here()[1] != 'Check':
            keys.press('Tab')  # there, Enter in the line does it, too
        page.wait_for_timeout(150)
        keys.press('Space' if id != 'named' and n % 2 else 'Enter')
        said = card(page, id).locator('.dc-said')
        said.wait_for(timeout=20 * MS)
        assert keys.here()[1] == ('Answer' if id == 'named' else 'Check'), (
            f'{id}: the focus is on {keys.here()}'
        )
        state = said.get_attribute('class').split('dc-')[-1]
        assert state == ('review' if id in ('why', 'think') else 'correct'), f'{id}: {said.inner_text()}'


AUDIT = """async () => {
    const panel = document.querySelector('.dc-quiz');
    const r = await axe.run(panel, {resultTypes: ['violations', 'passes']});
    if (r.passes.flatMap(p => p.nodes).length < 100) return ['axe saw next to nothing'];
    const why = n => (n.any[0] || n.all[0] || n.none[0] || {message: ''}).message;
    return r.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 160)} – ${why(n)}`));
}"""
WIDE = """() => {
    const panel = document.querySelector('.dc-quiz'), room = panel.getBoundingClientRect().right;
    const wide = e => e.getBoundingClientRect().right > room + 1 && !e.closest('figure');
    return [...panel.querySelectorAll('*')].filter(wide).map(e => e.outerHTML.slice(0, 120));
}"""


def look(page, axe, tmp_path):
    "What axe finds, and what sticks out, in two themes and two widths."
    page.evaluate(axe)
    found = []
    for theme in ('JupyterLab Light', 'JupyterLab Dark'):
        page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", theme)
        page.wait_for_function('t => document.body.dataset.jpThemeName == t', arg=theme, timeout=20 * MS)
        page.wait_for_timeout(500)
        # all of it in sight: colours can't be judged of what isn't
        for width, height in ((1200, 7600), (390, 12400)):
            page.set_viewport_size(dict(width=width, height=height))
            page.wait_for_timeout(300)
            page.locator('.dc-quiz').screenshot(path=tmp_path / f'panel-{theme.split()[-1]}-{width}.png')
            found += [f'{theme}, {width} px: {v}' for v in page.evaluate(AUDIT) + page.evaluate(WIDE)]
    return found


def test_panel_by_keyboard(lab, browser, axe, tmp_path):
    page = browser.new_context(viewport=dict(width=1200, height=900)).new_page()
    keys = Keyboard(page)
    trouble = []
    page.on('pageerror', lambda e: trouble.append(str(e)))
    page.goto(lab)
    page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=60 * MS)
    page.evaluate(READY)
    page.evaluate(RUN_ALL)
    page.wait_for_selector('.dc-foot progress', timeout=60 * MS)
    page.wait_for_selector('.dc-card[role=group]', timeout=20 * MS)
    began = time.time()
    answer_all(page, keys)
    print(f'{time.time() - began:.1f} s')
    assert page.locator('.jp-Notebook .jp-Cell').count() == 1, 'a key for the panel was taken by JupyterLab'
    foot = page.locator('.dc-foot').inner_text()
    assert '12 of 12 right' in foot and 'The next question is due' in foot
    while keys.here()[1] != 'Retry the wrong ones':
        keys.press('Tab')
    keys.press('Enter')
    page.get_by_text('There is nothing to try again.').wait_for(timeout=20 * MS)
    assert keys.here()[1] == 'Retry the wrong ones'
    card(page, 'effect').locator('input:checked').evaluate('e => e.focus()')
    keys.press('ArrowUp', 'Tab')
    page.wait_for_timeout(150)
    keys.press('Enter')  # a wrong answer, and why
    card(page, 'effect').locator('.dc-incorrect').wait_for(timeout=20 * MS)
    while keys.here()[0] != 'SUMMARY':
        keys.press('Tab')
    keys.press('Enter')
    assert card(page, 'effect').locator('details[open]').count() == 1
    assert 'Look again.' in card(page, 'effect').inner_text()
    found = look(page, axe, tmp_path)
    assert not found, '\n'.join(found)
    assert not trouble, trouble
