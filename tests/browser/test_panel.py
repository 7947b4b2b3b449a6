"All fourteen kinds in a real JupyterLab, answered from the keyboard; axe looks at the panel in both themes, wide and narrow."

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time

import pytest

from conftest import ROOT

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
        id='a',
        metadata={},
        source=CELL.format(tests=str(ROOT / 'tests')),
        outputs=[],
        execution_count=None,
    )
    (tmp_path / 'panel.ipynb').write_text(
        json.dumps(
            dict(
                cells=[cell],
                metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python')),
                nbformat=4,
                nbformat_minor=5,
            )
        )
    )
    folders = dict(
        JUPYTER_CONFIG_DIR='config',
        JUPYTER_DATA_DIR='data',
        JUPYTER_RUNTIME_DIR='runtime',
        JUPYTERLAB_SETTINGS_DIR='settings',
        JUPYTERLAB_WORKSPACES_DIR='workspaces',
        IPYTHONDIR='ipython',
        DIFFCOURSE_HOME='home',
    )
    env = (
        {k: v for k, v in os.environ.items() if k != 'DISPLAY'}
        | {k: str(tmp_path / '.own' / v) for k, v in folders.items()}
        | {'JUPYTER_TOKEN': 'course', 'PYTHONPATH': str(ROOT)}
    )
    settings = tmp_path / '.own/settings/@jupyterlab'
    for name, value in (
        ('apputils-extension/notification', {'fetchNews': 'false', 'checkForUpdates': False}),
        ('notebook-extension/tracker', {'windowingMode': 'none'}),
    ):
        file = settings / f'{name}.jupyterlab-settings'
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(value))
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    command = [
        sys.executable,
        '-c',
        'import sys; from diffcourse.commands.cli import main; sys.exit(main())',
        'lab',
        str(tmp_path / 'panel.ipynb'),
        '--no-browser',
        '--port',
        str(port),
        '--jupyter=--LabApp.expose_app_in_browser=True',
    ]
    server = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(tmp_path / 'lab.log').open('w'),
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(180, server.kill)
    watchdog.start()
    try:
        printed = next((m[0] for line in server.stdout if (m := re.search(r'http://\S+', line))), None)
        assert printed, f'diffcourse lab printed no address: {(tmp_path / "lab.log").read_text()[-2000:]}'
        yield printed
    finally:
        watchdog.cancel()
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


READY = """async () => { const p = window.jupyterapp.shell.currentWidget;
    await p.context.ready; await p.sessionContext.ready; await p.sessionContext.session.kernel.info }"""


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
        return self.page.evaluate(
            """() => { const e = document.activeElement; return [e.type || e.tagName, e.textContent.trim() || (e.labels && e.labels[0] ? e.labels[0].textContent.trim() : ''), e.value] }"""
        )


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
    "Every question, from the keyboard: to the input, fill it, to Check, press it, and the focus is still there."
    page.locator('.dc-card input').first.evaluate(
        'e => e.focus()'
    )  # where Tab led; from here on without help
    for n, (id, given) in enumerate(ANSWERS.items()):
        if n:
            for _ in range(12):
                if page.evaluate(
                    'id => document.activeElement.matches("input, select, textarea") && document.activeElement.closest(".dc-card")?.querySelector("h4 small").textContent == id',
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


AUDIT = """async () => { const r = await axe.run(document.querySelector('.dc-quiz'), {resultTypes: ['violations', 'passes']});
    if (r.passes.flatMap(p => p.nodes).length < 100) return ['axe saw next to nothing'];
    return r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 160) + ' – ' + (n.any[0] || n.all[0] || n.none[0] || {message: ''}).message)) }"""
WIDE = """() => { const q = document.querySelector('.dc-quiz'), room = q.getBoundingClientRect().right;
    return [...q.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > room + 1 && !e.closest('figure')).map(e => e.outerHTML.slice(0, 120)) }"""


def look(page, axe, tmp_path):
    "What axe finds, and what sticks out, in two themes and two widths."
    page.evaluate(axe)
    found = []
    for theme in ('JupyterLab Light', 'JupyterLab Dark'):
        page.evaluate("t => window.jupyterapp.commands.execute('apputils:change-theme', {theme: t})", theme)
        page.wait_for_function('t => document.body.dataset.jpThemeName == t', arg=theme, timeout=20 * MS)
        page.wait_for_timeout(500)
        for width, height in (
            (1200, 7600),
            (390, 12400),
        ):  # all of it in sight: colours can't be judged of what isn't
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
    page.evaluate(
        "() => { window.jupyterapp.commands.execute('application:toggle-left-area'); window.jupyterapp.commands.execute('notebook:run-all-cells') }"
    )
    page.wait_for_selector('.dc-foot progress', timeout=60 * MS)
    page.wait_for_selector('.dc-card[role=group]', timeout=20 * MS)
    began = time.time()
    answer_all(page, keys)
    print(f'{time.time() - began:.1f} s')
    assert page.locator('.jp-Notebook .jp-Cell').count() == 1, 'a key for the panel was taken by JupyterLab'
    assert (
        '12 of 12 right' in page.locator('.dc-foot').inner_text()
        and 'The next question is due' in page.locator('.dc-foot').inner_text()
    )
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
    assert (
        card(page, 'effect').locator('details[open]').count() == 1
        and 'Look again.' in card(page, 'effect').inner_text()
    )
    found = look(page, axe, tmp_path)
    assert not found, '\n'.join(found)
    assert not trouble, trouble
