"Every notebook runs from top to bottom; cells flagged `#| slow` or `#| eval: false` excepted."

import os
import subprocess
import sys

import pytest

from conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def tree():
    "The notebooks folder must look the same after the run as before."

    def look():
        return {
            str(p.relative_to(ROOT)) for p in (ROOT / 'nbs').rglob('*') if '.ipynb_checkpoints' not in p.parts
        }

    before = look()
    yield
    assert look() <= before, f'notebooks left files behind: {sorted(look() - before)}'


def test_every_notebook_runs(tree):
    "Each in a fresh kernel, as for the site, which then shows these runs."
    env = {**os.environ, 'TQDM_DISABLE': '1', 'MPLBACKEND': 'agg'}
    r = subprocess.run(
        [sys.executable, ROOT / 'docs/build.py', '--run'],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
    )
    assert r.returncode == 0, r.stdout[-6000:]
