"A real JupyterLab for browser tests, with folders all its own, and what to ask its page."

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

COURSE = [sys.executable, '-c', 'import sys; from diffcourse.commands.cli import main; sys.exit(main())']
FOLDERS = dict(
    JUPYTER_CONFIG_DIR='config',
    JUPYTER_DATA_DIR='data',
    JUPYTER_RUNTIME_DIR='runtime',
    JUPYTERLAB_SETTINGS_DIR='settings',
    JUPYTERLAB_WORKSPACES_DIR='workspaces',
    IPYTHONDIR='ipython',
    DIFFCOURSE_HOME='home',
)
SETTINGS = {
    'apputils-extension/notification': {'fetchNews': 'false', 'checkForUpdates': False},
    'notebook-extension/tracker': {'windowingMode': 'none'},  # all cells in the page, also those out of sight
}


def write_settings(folder):
    "JupyterLab's settings, as files in `folder`."
    for name, value in SETTINGS.items():
        file = folder / f'{name}.jupyterlab-settings'
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(value))


def any_port():
    "A port that nobody listens on."
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def stop(server):
    "Stop the server and all that it started."
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@contextmanager
def lab_on(notebook, **more):
    "`diffcourse lab` on a notebook, in whose folder JupyterLab keeps everything. The address that it prints."
    home = notebook.parent
    write_settings(home / '.own/settings/@jupyterlab')
    env = {k: v for k, v in os.environ.items() if k != 'DISPLAY'}
    env |= {k: str(home / '.own' / v) for k, v in FOLDERS.items()}
    env |= {'JUPYTER_TOKEN': 'course', **more}
    options = ['--no-browser', '--port', str(any_port()), '--jupyter=--LabApp.expose_app_in_browser=True']
    log = home / 'lab.log'
    server = subprocess.Popen(
        [*COURSE, 'lab', str(notebook), *options],
        cwd=home,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log.open('w'),
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(180, server.kill)
    watchdog.start()
    try:
        printed = next((m[0] for line in server.stdout if (m := re.search(r'http://\S+', line))), None)
        watchdog.cancel()
        assert printed, f'diffcourse lab printed no address: {log.read_text()[-2000:]}'
        yield printed
    finally:
        watchdog.cancel()
        stop(server)


# what to ask the page

READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""

RUN_ALL = """() => {
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
