"The glossary: our words, what the same things are called elsewhere, and where they are defined."

from typing import NamedTuple

from ruamel.yaml import YAML

from notebooks import ROOT

FILE = ROOT / 'docs/glossary.yaml'
LEAD = (
    'Code and formulas here use the words of the papers and of the libraries that you will meet next. '
    'Where those differ, this page lists both names.'
)


class Term(NamedTuple):
    "One line of the glossary."

    term: str
    where: str  # The name that defines it, below `diffcourse`
    says: str  # One sentence
    symbol: str = ''  # In LaTeX
    diffusers: str = ''  # Its words, separated by commas
    k_diffusion: str = ''  # The same
    seen: str = ''  # How it is written where it is used, if not like the term

    @property
    def module(self):
        "Below `diffcourse`."
        return self.where.rpartition('.')[0]


def read_glossary(path=FILE):
    "The terms of each part: part -> list of `Term`s."
    parts = YAML(typ='safe').load(path.read_text(encoding='utf-8'))
    return {part: [Term(**entry) for entry in entries] for part, entries in parts.items()}


def code(words):
    "Words of a library as code."
    return ', '.join(f'`{w.strip()}`' for w in words.split(',')) if words else ''


def row(term, anchors):
    "One line of the table, which links the name if it has an entry in the reference."
    name = f'`{term.where}`'
    place = anchors.get(term.where, {}).get(term.module)
    if place:
        name = f'[{name}](#{place})'
    symbol = f'${term.symbol}$' if term.symbol else ''
    cells = [f'**{term.term}** {term.says}', symbol, code(term.diffusers), code(term.k_diffusion), name]
    return '| ' + ' | '.join(cell.replace('|', r'\|') for cell in cells) + ' |'


def glossary_page(parts, anchors):
    "The page, as Markdown. `anchors`: dotted name -> module -> anchor of its entry, as in `notebooks.Site`."
    out = ['# Glossary', f':::{{container}} lead\n{LEAD}\n:::']
    for part, terms in parts.items():
        head = '| term | symbol | diffusers | k-diffusion | defined in |\n|---|---|---|---|---|'
        out.append(f'## {part}\n\n' + '\n'.join([head, *(row(t, anchors) for t in terms)]))
    return '\n\n'.join(out) + '\n'
