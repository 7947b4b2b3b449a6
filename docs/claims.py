"What each lesson claims: collected from the hidden cells that assert it, which begin with `# claim`."

import ast
import re
from typing import NamedTuple

from notebooks import ROOT, heading, read

CLAIM = re.compile(r'^# claim(?: \((?P<over>over [^)]*)\))?: (?P<says>.+)$')
LEAD = (
    'Lessons say what a picture or a number shows. Each of these sentences is asserted by a hidden cell, '
    'on the very objects that are shown, and runs whenever the lesson does. Where a sentence is general, it '
    'is checked over several seeds.'
)


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
    head = '| lesson | claims | over several seeds |\n|---|---|---|'
    rows = [row(name, title, found) for (name, title), found in claims.items()]
    out.append('\n'.join([head, *rows]))
    for (_, title), found in claims.items():
        if found:
            out.append(f'## {title}\n\n' + '\n'.join(line(c) for c in found))
    return '\n\n'.join(out) + '\n'


def row(name, title, found):
    "How many claims a lesson has."
    several = sum(bool(c.over) for c in found)
    return f'| [{title}]({name}.ipynb) | {len(found)} | {several} |'


def line(claim):
    "One claim, as an entry of a list."
    says = claim.says[0].upper() + claim.says[1:].rstrip('.')
    over = f' – *{claim.over}*' if claim.over else ''
    return f'* {says}{over} ({claim.section})'


if __name__ == '__main__':
    for (name, _), found in all_claims().items():
        print(f'{name:14} {len(found):3} claims, {sum(bool(c.over) for c in found)} over several seeds')
