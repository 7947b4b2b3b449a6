"The first lesson in a real JupyterLab in a real browser: it runs, its slider moves a picture, its questions are marked."

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow

LESSON = ROOT / 'nbs/lessons/00_start.ipynb'
MINUTES = 60_000 * float(os.environ.get('PATIENCE', 1))  # milliseconds; a busy machine is slow, not broken


@pytest.fixture
def lab(tmp_path):
    "`diffcourse lab` on a copy of the lesson, with JupyterLab's folders all its own. The address that it prints."
    shutil.copy(LESSON, tmp_path)
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
        | {'JUPYTER_TOKEN': 'course'}
    )
    settings = tmp_path / '.own/settings/@jupyterlab'
    for name, value in (
        ('apputils-extension/notification', {'fetchNews': 'false', 'checkForUpdates': False}),
        ('notebook-extension/tracker', {'windowingMode': 'none'}),
    ):  # all cells in the page, also those out of sight
        file = settings / f'{name}.jupyterlab-settings'
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(value))
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    command = [
        'diffcourse',
        'lab',
        str(tmp_path / LESSON.name),
        '--no-browser',
        '--port',
        str(port),
        '--jupyter=--LabApp.expose_app_in_browser=True',
    ]
    log = (tmp_path / 'lab.log').open('w')
    server = subprocess.Popen(
        [str(sys.executable.rpartition('/')[0] + '/' + command[0]), *command[1:]],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(180, server.kill)
    watchdog.start()
    try:
        printed = next((m[0] for line in server.stdout if (m := re.search(r'http://\S+', line))), None)
        watchdog.cancel()
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
ALL_RUN = """() => { const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    const failed = cells.some(c => c.model.type == 'code' && c.model.outputs.toJSON().some(o => o.output_type == 'error'));
    const code = cells.filter(c => c.model.type == 'code' && c.model.sharedModel.getSource().trim());
    return failed || (code.every(c => c.model.executionCount !== null) && document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status == 'idle') }"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code')
    .flatMap(c => c.model.outputs.toJSON()).filter(o => o.output_type == 'error').map(o => o.ename + ': ' + o.evalue)"""


def picture(box):
    "What the visible picture shows, as the address of its data."
    return box.locator('img:visible').first.get_attribute('src')


def move_slider(page):
    "Pull the first slider that comes with a picture by one step, from the keyboard; the picture before and after."
    slider = page.locator('.jp-OutputArea-output:has(.noUi-handle):has(img)').first
    slider.scroll_into_view_if_needed()
    slider.locator('img:visible').first.wait_for(timeout=MINUTES)
    before = picture(slider)
    for key in ('ArrowRight', 'ArrowLeft'):  # it may stand at its end
        slider.locator('.noUi-handle').first.focus()
        page.keyboard.press(key)
        page.wait_for_timeout(600)
        if picture(slider) != before:
            break
    return before, picture(slider)


def answer_a_choice(page):
    "Try the options of the first question with radio buttons. What was said to each."
    card = page.locator('.dc-card:has(input[type=radio])').first
    card.scroll_into_view_if_needed()
    said = []
    for i in range(card.locator('input[type=radio]').count()):
        card.locator('input[type=radio]').nth(i).check()
        card.get_by_role('button', name='Check').first.click()
        page.wait_for_timeout(300)
        card.locator('.dc-said').wait_for(timeout=5 * MINUTES)
        said.append(card.locator('.dc-said').get_attribute('class').split('dc-')[-1])
        assert card.locator('.dc-said').inner_text().strip()
    return said


def test_first_lesson_in_jupyterlab(lab, browser):
    page = browser.new_context(viewport=dict(width=1400, height=1000)).new_page()
    trouble = []
    page.on('pageerror', lambda e: trouble.append(str(e)))
    page.goto(lab)
    page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=2 * MINUTES)
    page.evaluate(READY)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(ALL_RUN, timeout=10 * MINUTES, polling=1000)
    assert page.evaluate(ERRORS) == []
    before, after = move_slider(page)
    assert before and after and before != after, 'the slider moved and the picture stayed the same'
    said = answer_a_choice(page)
    assert said.count('correct') == 1 and set(said) <= {'correct', 'incorrect'}, (
        f'marks of the options: {said}'
    )
    assert not trouble, trouble
