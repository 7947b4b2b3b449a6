"""README.md is nbs/index.ipynb: python docs/readme.py [--check]

Text and code of the notebook, with links that fit the top folder. Cells with `#| hide` stay out."""

import re
import sys

from notebooks import ROOT, Failed, directives, read

_target = re.compile(r'(\]\(|\b(?:src|srcset|href)=")([^)"\s]+)')
NOTE = '<!-- Written from nbs/index.ipynb by `make export`; change it there. -->\n\n'


def to_top(m):
    "A link in nbs/ as seen from the top folder."
    if re.match(r'^(\w+:|#)', m[2]):
        return m[0]
    up = m[2].removeprefix('../')
    return m[1] + (up if up != m[2] else f'nbs/{m[2]}')


def readme():
    "The text of README.md."
    path = ROOT / 'nbs/index.ipynb'
    if not path.exists():
        raise Failed('there is no nbs/index.ipynb to write README.md from')
    parts = []
    for c in read(path)['cells']:
        if c['cell_type'] == 'markdown':
            parts.append(
                _target.sub(to_top, re.sub(r'^> ', '', c['source'], flags=re.M) if not parts else c['source'])
            )
        elif c['cell_type'] == 'code':
            d, code = directives(c['source'])
            if (
                code
                and not {'hide', 'default_exp'} & d.keys()
                and d.get('include') != 'false'
                and d.get('echo') != 'false'
            ):
                parts.append(f'```python\n{code}\n```')
    return NOTE + '\n\n'.join(p.strip() for p in parts) + '\n'


if __name__ == '__main__':
    try:
        text = readme()
    except Failed as e:
        sys.exit(str(e))
    file = ROOT / 'README.md'
    if sys.argv[1:] == ['--check']:
        sys.exit(
            0
            if file.read_text(encoding='utf-8') == text
            else 'README.md differs from nbs/index.ipynb: run `make export`'
        )
    file.write_text(text, encoding='utf-8')
