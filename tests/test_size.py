"""No function is longer than 60 lines, no module longer than 400, and no public name is defined twice.
What is still over is listed: the lists may only shrink."""

import ast
from collections import defaultdict

import pytest

from conftest import ROOT

FUNCTION, MODULE = 60, 400  # lines; blank ones of a module are not counted
FOLDERS = ('diffcourse', 'tests', 'docs', 'benchmarks')
SOURCES = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob('*.py')) if p.name != '_modidx.py']

LONG_FUNCTIONS = set()
LONG_MODULES = set()
DOUBLED_NAMES = set()


def here(path):
    return str(path.relative_to(ROOT))


def shrinks(found, listed, what):
    "Nothing may be new, and what is no longer over must leave the list."
    new = {k: v for k, v in found.items() if k not in listed}
    done = sorted(set(listed) - set(found))
    assert not new, f'{what}: {new}'
    assert not done, f'not over any more, take it off the list in {here(ROOT / "tests/test_size.py")}: {done}'


def long_functions():
    "Functions over the limit: file:name -> lines."
    found = {}
    for p in SOURCES:
        for o in ast.walk(ast.parse(p.read_text(encoding='utf-8'))):
            if isinstance(o, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = o.end_lineno - o.lineno + 1
                if lines > FUNCTION:
                    found[f'{here(p)}:{o.name}'] = lines
    return found


def long_modules():
    "Modules over the limit: file -> lines that are not blank."
    found = {}
    for p in SOURCES:
        lines = [line for line in p.read_text(encoding='utf-8').splitlines() if line.strip()]
        if len(lines) > MODULE:
            found[here(p)] = len(lines)
    return found


def defined(tree):
    "The names that a module defines itself; what it only imports belongs to another one."
    for o in tree.body:
        if isinstance(o, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield o.name
        elif isinstance(o, (ast.Assign, ast.AnnAssign)):
            targets = o.targets if isinstance(o, ast.Assign) else [o.target]
            yield from (n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))


def public(tree):
    "What `__all__` of a module lists."
    for o in tree.body:
        if isinstance(o, ast.Assign) and getattr(o.targets[0], 'id', '') == '__all__':
            return set(ast.literal_eval(o.value))
    return set()


def doubled_names():
    "Public names that two modules define: name -> files."
    places = defaultdict(list)
    for p in SOURCES:
        if p.is_relative_to(ROOT / 'diffcourse'):
            tree = ast.parse(p.read_text(encoding='utf-8'))
            for name in sorted(public(tree) & set(defined(tree))):
                places[name].append(here(p))
    return {name: files for name, files in places.items() if len(files) > 1}


def test_functions_are_short():
    shrinks(long_functions(), LONG_FUNCTIONS, f'longer than {FUNCTION} lines, make two of it')


def test_modules_are_short():
    shrinks(long_modules(), LONG_MODULES, f'longer than {MODULE} lines, make two of it')


def test_public_names_are_defined_once():
    shrinks(doubled_names(), DOUBLED_NAMES, 'defined twice, rename one')


@pytest.mark.parametrize('found', ({}, {'a': 70, 'b': 80}, {'c': 70}))
def test_a_list_can_only_shrink(found):
    with pytest.raises(AssertionError):
        shrinks(found, {'a': 70}, 'long')
