"""What each lesson claims: collected from the hidden cells that assert it, which begin with `# claim`.
And how much of it is out of sight: cells that call a finished measurement."""

import ast
import re
from typing import NamedTuple

from notebooks import ROOT, heading, read

CLAIM = re.compile(r'^# claim(?: \((?P<over>over [^)]*)\))?: (?P<says>.+)$')
LEAD = (
    'Lessons say what a picture or a number shows. Each of these sentences is asserted by a hidden cell, '
    'on the very objects that are shown, and runs whenever the lesson does. Where a sentence is general, it '
    'is checked over several seeds. A cell is out of sight if it calls a finished measurement in place of '
    'showing how it is done; at most one in eight may.'
)


OUT_OF_SIGHT = 8  # At most one code cell in so many may call a finished measurement


class Claim(NamedTuple):
    "A sentence of a lesson that asserts itself."

    says: str
    over: str  # Such as 'over 6 seeds'; '' if it is about what is shown alone
    section: str  # Heading that it stands below
    asserts: int  # Lines of code that check it


def claims_of(nb):
    "Claims of a notebook, in order. `ValueError` for one without an assert."
    found, section = [], ''
    for c in nb['cells']:
        source = c['source']
        if c['cell_type'] == 'markdown':
            headings = re.findall(r'^##+ (.+)$', source, flags=re.M)
            section = headings[-1] if headings else section
        elif '# claim' in source:
            found += _claims_in(source, section)
    return found


def _claims_in(source, section):
    "A claim goes from its line to the next one."
    lines = source.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith('# claim')]
    asserted = [o.lineno - 1 for o in ast.walk(ast.parse(source)) if isinstance(o, ast.Assert)]
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        match = CLAIM.match(lines[start])
        n = sum(start < k < end for k in asserted)
        if not match or not n:
            expected = 'expected "# claim: …" or "# claim (over …): …", and an assert below'
            raise ValueError(f'{lines[start]!r}: {expected}')
        yield Claim(match['says'], match['over'] or '', section, n)


def measurements():
    "Names of the probes: functions that return a finished table or picture."
    found = {'run_probe'}
    for path in (ROOT / 'diffcourse/experiments').glob('*.py'):
        for o in ast.parse(path.read_text(encoding='utf-8')).body:
            if isinstance(o, ast.FunctionDef) and any('probe' in ast.unparse(d) for d in o.decorator_list):
                found.add(o.name)
    return found


def opaque_cells(nb):
    "(cells that call a measurement imported from `diffcourse`, all code cells), hidden ones not counted."
    cells = [
        c['source'] for c in nb['cells'] if c['cell_type'] == 'code' and not c['source'].startswith('#| hide')
    ]
    known, imported, opaque = measurements(), set(), 0
    for tree in map(ast.parse, cells):
        for o in ast.walk(tree):
            if isinstance(o, ast.ImportFrom) and (o.module or '').startswith('diffcourse'):
                imported |= {a.asname or a.name for a in o.names if a.name in known}
        calls = [o.func for o in ast.walk(tree) if isinstance(o, ast.Call)]
        opaque += any(isinstance(f, ast.Name) and f.id in imported for f in calls)
    return opaque, len(cells)


def all_opaque():
    "Of all lessons: name -> (cells that call a measurement, all code cells)."
    paths = sorted((ROOT / 'nbs/lessons').glob('*.ipynb'))
    return {path.stem: opaque_cells(read(path)) for path in paths}


def all_claims():
    "Claims of all lessons: (name, title) -> list."
    found = {}
    for path in sorted((ROOT / 'nbs/lessons').glob('*.ipynb')):
        nb = read(path)
        found[path.stem, heading(nb)[0]] = claims_of(nb)
    return found


def claims_page(claims):
    "The page, as Markdown."
    out = ['# What the lessons claim', f':::{{container}} lead\n{LEAD}\n:::']
    head = '| lesson | claims | over several seeds | cells out of sight |\n|---|---|---|---|'
    rows = [row(name, title, found) for (name, title), found in claims.items()]
    out.append('\n'.join([head, *rows]))
    for (_, title), found in claims.items():
        if found:
            out.append(f'## {title}\n\n' + '\n'.join(line(c) for c in found))
    return '\n\n'.join(out) + '\n'


def row(name, title, found):
    "How many claims a lesson has."
    several = sum(bool(c.over) for c in found)
    opaque, cells = all_opaque()[name]
    return f'| [{title}]({name}.ipynb) | {len(found)} | {several} | {opaque} of {cells} |'


def line(claim):
    "One claim, as an entry of a list."
    says = claim.says[0].upper() + claim.says[1:].rstrip('.')
    over = f' – *{claim.over}*' if claim.over else ''
    return f'* {says}{over} ({claim.section})'


if __name__ == '__main__':
    hidden = all_opaque()
    for (name, _), found in all_claims().items():
        several, (opaque, cells) = sum(bool(c.over) for c in found), hidden[name]
        says = f'{several} over several seeds, {opaque} of {cells} code cells out of sight'
        print(f'{name:14} {len(found):3} claims, {says}')
