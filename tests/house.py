"What rules over the whole repository read: its files, its notebooks, its modules and what they import."

import ast
import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import ROOT

PACKAGE, NBS = ROOT / 'diffcourse', ROOT / 'nbs'
HAND_WRITTEN = {'__init__.py', '__main__.py', '_modidx.py'}  # nbdev writes the second one
DATA = {'doodle', 'weights'}  # folders of the package without code
MB = 2**20


def here(path):
    "A path as seen from the top folder."
    return str(Path(path).relative_to(ROOT))


@cache
def files():
    """All files of the repository: what git tracks or would track; without git, everything outside of
    ignored folders."""
    if shutil.which('git'):
        command = ['git', 'ls-files', '-co', '--exclude-standard', '-z']
        git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        names = sorted(set(git.stdout.split('\0')) - {''})
        if git.returncode == 0 and names:
            return [ROOT / name for name in names if (ROOT / name).is_file()]
    ignored = {s.strip('/\n') for s in (ROOT / '.gitignore').read_text().split()} | {'.git'}

    def skip(part):
        return part in ignored or part.endswith('.egg-info')

    found = [p for p in sorted(ROOT.rglob('*')) if p.is_file()]
    return [p for p in found if not any(map(skip, p.relative_to(ROOT).parts))]


@cache
def notebook(path):
    "A notebook, each cell's source as one text."
    nb = json.loads(path.read_text(encoding='utf-8'))
    for c in nb['cells']:
        c['source'] = ''.join(c['source'])
    return nb


def is_own(path):
    "Is this notebook a source, and no copy that a tool keeps in a folder of its own?"
    return not any(part.startswith(('.', '_')) for part in path.relative_to(NBS).parts)


NOTEBOOKS = [p for p in sorted(NBS.rglob('*.ipynb')) if is_own(p)]
LESSONS = [p for p in NOTEBOOKS if p.parent.name == 'lessons']
each_notebook = pytest.mark.parametrize('path', NOTEBOOKS, ids=here)


def default_exp(path):
    "The module that a notebook writes, or None."
    code = [c['source'] for c in notebook(path)['cells'] if c['cell_type'] == 'code']
    found = [m[1] for source in code if (m := re.match(r'\s*#\|\s*default_exp\s+(\S+)', source))]
    assert len(found) < 2, f'{here(path)} has two default_exp cells'
    return found[0] if found else None


class Place(NamedTuple):
    "Where a module stands: nbs/FOLDER/NUMBER_name.ipynb."

    folder: str  # Such as '1_maths' or 'quiz/core'
    number: int  # Order inside of the folder
    notebook: Path

    @property
    def in_quiz(self):
        return self.folder.startswith('quiz/')


def module_of(path):
    "The name that a notebook's place gives its module: without the numbers."
    folders = path.parent.relative_to(NBS).parts
    return '.'.join([*(re.sub(r'^\d_', '', f) for f in folders), path.stem[3:]])


@cache
def modules():
    "module -> its place, for notebooks that export."
    found = {}
    for p in NOTEBOOKS:
        m = default_exp(p)
        if not m:
            continue
        folder = '/'.join(p.parent.relative_to(NBS).parts)
        assert re.fullmatch(r'\d_[a-z]+|quiz/[a-z]+', folder), (
            f'{here(p)} exports, so it stands on a floor: move it to a folder such as nbs/1_maths or '
            'nbs/quiz/core'
        )
        assert re.match(r'\d\d_', p.name), (
            f'{here(p)} exports, so its name begins with two digits, its place among those of its folder: '
            f'rename it to NN_{p.name}'
        )
        assert m not in found, f'{here(p)} and {here(found[m].notebook)} both write {m}: rename one'
        assert m == module_of(p), (
            f'{here(p)} writes the module {m}; there it is {module_of(p)}: change its default_exp and its '
            'title, or move it'
        )
        found[m] = Place(folder, int(p.name[:2]), p)
    return found


def module_file(m):
    "The file that a module is in."
    return PACKAGE / (m.replace('.', '/') + '.py')


def imports(path):
    """Everything a module imports, anywhere in it: (line, absolute dotted name). Names out of a module
    count as the module."""
    package = ['diffcourse', *path.relative_to(PACKAGE).parent.parts]
    for o in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(o, ast.Import):
            yield from ((o.lineno, a.name) for a in o.names)
        if isinstance(o, ast.ImportFrom):
            above = package[: len(package) - o.level + 1] if o.level else []
            stem = '.'.join([*above, *filter(None, [o.module])])
            if stem != 'diffcourse':
                yield o.lineno, stem
            if stem.split('.')[0] == 'diffcourse':
                yield from ((o.lineno, f'{stem}.{a.name}') for a in o.names)
