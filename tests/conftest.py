"""What all tests share: a clean home, one thread a process, and the order: rules, library, notebooks,
browsers."""

import os
import shutil
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.update(
    OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', HF_HUB_OFFLINE='1', TOKENIZERS_PARALLELISM='false'
)
os.environ['PATH'] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ['PATH']]
)  # `diffcourse`, `nbdev-export`, `ruff`

import pytest  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

_late = {
    'test_notebooks.py': 1,
    'test_quiz_page.py': 2,
    'test_lab.py': 2,
    'test_panel.py': 2,
    'test_site.py': 3,
}


def read_data(name):
    "What tests/data/NAME.yaml holds."
    text = (ROOT / 'tests/data' / f'{name}.yaml').read_text(encoding='utf-8')
    return YAML(typ='safe').load(text)


def pytest_collection_modifyitems(items):
    "Quick tests first: what is cheap to find out is found out at once."
    items.sort(key=lambda i: (_late.get(i.path.name, 0), i.path.name != 'test_structure.py'))


def hear_ctrl_c():
    """For `preexec_fn` of a child that is to be stopped by Ctrl-C: in a shell's background (&) and under
    nohup, tests ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope='session', autouse=True)
def home(tmp_path_factory):
    "Progress and caches of a test run stay away from the user's own."
    os.environ['DIFFCOURSE_HOME'] = str(tmp_path_factory.mktemp('home'))
    return Path(os.environ['DIFFCOURSE_HOME'])


@pytest.fixture
def stood_in(monkeypatch, tmp_path_factory):
    "For tests of the quiz engine: no model, no child process, a data folder of its own."
    from quiz_lab import stand_in

    stand_in(monkeypatch)
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path_factory.getbasetemp() / 'home'))


@pytest.fixture(scope='session')
def root():
    return ROOT


@pytest.fixture(scope='session')
def chromium():
    "A browser. Where there is none, browser tests are left out, except in CI."
    named = os.environ.get('CHROMIUM')
    found = named or next(
        filter(
            None,
            map(
                shutil.which,
                ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'),
            ),
        ),
        None,
    )
    if found:
        return found
    why = 'no Chromium found (apt-get install chromium, or set CHROMIUM=/path/to/it)'
    (pytest.fail if os.environ.get('CI') else pytest.skip)(why)


@pytest.fixture
def browser(chromium):
    "Chromium without a window, and without errands of its own."
    from playwright.sync_api import sync_playwright

    quiet = [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage',
    ]
    with sync_playwright() as pw:
        b = pw.chromium.launch(executable_path=chromium, args=quiet)
        yield b
        b.close()
