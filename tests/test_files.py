"""Rules over files: settings agree with pyproject.toml, every package is listed, slow tests are marked,
weights are small, nothing is opaque or belongs to one machine."""

import ast
import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from house import PACKAGE, MB, files, here

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib  # Python 3.10

# ----------------------------------------------------------------------------------------------- settings


def test_settings_equal_pyproject():
    "nbdev reads pyproject.toml; settings.ini holds the same values for those who look there."
    ini = configparser.ConfigParser()
    ini.read(ROOT / 'settings.ini', encoding='utf-8')
    have, toml = dict(ini['DEFAULT']), tomllib.loads((ROOT / 'pyproject.toml').read_text())
    project, nbdev = toml['project'], toml['tool']['nbdev']
    want = {k: str(v) for k, v in nbdev.items()}
    want |= dict(
        lib_name=project['name'],
        version=project['version'],
        description=project['description'],
        keywords=' '.join(project['keywords']),
        min_python=project['requires-python'].lstrip('>='),
        license={'Apache-2.0': 'apache2'}[project['license']],
    )
    assert {k: have.get(k) for k in want} == want
    assert set(have) - set(want) <= {'doc_host', 'doc_baseurl'}
    assert not have.get('doc_host') and have.get('doc_baseurl', '/') == '/'
    assert f'__version__ = "{project["version"]}"' in (PACKAGE / '__init__.py').read_text()
    assert ini.has_section('course')


def test_packages_are_all_listed():
    "Those of setuptools are written out, as lessons and others are mapped in; none may be forgotten."
    listed = set(tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['setuptools']['packages'])
    found = {'.'.join(p.parent.relative_to(ROOT).parts) for p in PACKAGE.rglob('__init__.py')}
    mapped = {'diffcourse.quizzes', 'diffcourse.lessons', 'diffcourse.defaults'}
    assert listed == found | mapped


# ----------------------------------------------------------------------------------------------- tests


def marks_slow(text):
    "Is the whole file, or a function in it, marked slow?"
    for o in ast.parse(text).body:
        if isinstance(o, ast.Assign) and ast.unparse(o.targets[0]) == 'pytestmark':
            marks = ast.unparse(o.value)
        else:
            marks = ' '.join(map(ast.unparse, getattr(o, 'decorator_list', ())))
        if 'pytest.mark.slow' in marks:
            return True
    return False


def test_what_is_slow_is_marked():
    """`make check` leaves out what is marked slow. Tests that open a browser, run notebooks, train, or
    lint live say so in their own file."""
    browser = r'def \w+\(.*\b(browser|chromium|visit)\b'
    waits = re.compile(rf"{browser}|docs/build\.py|train'?,? '?doodle'?,? '?--quick|lint'?,? '?--live")
    for p in sorted((ROOT / 'tests').rglob('test_*.py')):
        text = p.read_text(encoding='utf-8')
        if p == Path(__file__) or not waits.search(text):
            continue
        assert marks_slow(text), (
            f'{here(p)} waits for a browser, notebooks, training or a live run; mark what does with '
            'pytest.mark.slow'
        )


# -------------------------------------------------------------------------------------------------- files


def test_files_are_of_kinds_that_can_be_read():
    opaque = ('.pkl', '.pickle', '.pt', '.pth', '.ckpt', '.bin', '.joblib', '.npy', '.npz', '.h5')
    bad = [here(p) for p in files() if p.suffix in opaque]
    assert not bad, f'pickled or opaque files: {bad}; weights are safetensors'


def test_weights_are_small():
    for name, most in (('doodle', 26), ('weights', 8)):
        size = sum(p.stat().st_size for p in files() if p.is_relative_to(PACKAGE / name)) / MB
        assert size <= most, f'diffcourse/{name} has {size:.1f} MB; at most {most}'
    big = [here(p) for p in files() if p.suffix != '.safetensors' and p.stat().st_size > 1 * MB]
    assert not big, f'more than a megabyte: {big}'


def test_weights_are_half_precision():
    from safetensors import safe_open

    for p in (PACKAGE / 'doodle').rglob('*.safetensors'):
        with safe_open(p, 'pt') as f:
            kinds = {f.get_slice(k).get_dtype() for k in f.keys()}
        assert kinds <= {'F16', 'I64', 'I32'}, f'{here(p)} holds {kinds}; the shipped weights are float16'


def test_no_paths_of_somebodys_machine():
    homes = ('work', 'root', r'home/[a-z]\w*', r'Users/[A-Za-z]\w*', 'opt/pypi', 'opt/wheels')
    own = re.compile('|'.join(rf'(?<![\w.~/])/{home}/' for home in homes))
    binary = ('.safetensors', '.png', '.jpg', '.gif', '.webp', '.woff', '.woff2')
    for p in files():
        if p.suffix in binary or p == Path(__file__):
            continue
        for i, line in enumerate(p.read_text(encoding='utf-8').splitlines(), 1):
            assert not own.search(line), f'{here(p)}:{i} holds a path of one machine: {line.strip()[:120]}'


def test_top_level_is_complete():
    files = 'settings.ini pyproject.toml constraints.txt Makefile README.md CONTRIBUTING.md LICENSE .ci/run'
    folders = 'nbs diffcourse quizzes tests benchmarks docs'
    for name in [*files.split(), *folders.split()]:
        assert (ROOT / name).exists(), f'{name} is missing'
    assert 'Apache License' in (ROOT / 'LICENSE').read_text()


@pytest.mark.skipif(not shutil.which('make'), reason='make is not installed')
def test_make_says_what_it_can_do():
    help = subprocess.run(['make', '-s', 'help'], cwd=ROOT, capture_output=True, text=True).stdout
    for target in 'setup lab check test export docs bench clean'.split():
        assert re.search(rf'^ *make {target} +\w', help, re.M), target
