"The glossary: what it names is there, here and in diffusers, and every term is used in the course."

import importlib
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / 'docs'))
from glossary import glossary_page, read_glossary  # noqa: E402

PARTS = read_glossary()
TERMS = [term for terms in PARTS.values() for term in terms]
each_term = pytest.mark.parametrize('term', TERMS, ids=lambda t: t.term)
SPOKEN = ('schedulers', 'pipelines/stable_diffusion', 'models', 'training_utils.py', 'optimization.py')


def text_of(*paths):
    "The text of files, and of all Python files in folders."
    files = [f for p in paths for f in ([p] if p.is_file() else p.rglob('*.py'))]
    return '\n'.join(f.read_text(encoding='utf-8') for f in files)


@cache
def diffusers_words():
    "Every name and word in the parts of diffusers that the course meets."
    home = Path(find_spec('diffusers').origin).parent
    return set(re.findall(r'\w+', text_of(*(home / part for part in SPOKEN))))


@cache
def course_text():
    "Lessons, reference pages and questionnaires."
    files = [*(ROOT / 'nbs').rglob('*.ipynb'), *(ROOT / 'quizzes').glob('*_*.yaml')]
    return '\n'.join(f.read_text(encoding='utf-8') for f in files).lower()


def test_terms_differ():
    terms = [t.term for t in TERMS]
    assert len(set(terms)) == len(terms) >= 55


@each_term
def test_it_is_defined_where_it_says(term):
    module = importlib.import_module(f'diffcourse.{term.module}')
    name = term.where.rpartition('.')[2]
    assert hasattr(module, name), f'{term.term}: diffcourse.{term.where} is not there; correct `where`'


@each_term
def test_diffusers_says_so(term):
    unknown = set(re.findall(r'\w+', term.diffusers)) - diffusers_words()
    assert not unknown, f'{term.term}: diffusers does not say {unknown}'


@each_term
def test_it_is_used(term):
    seen = (term.seen or term.term).lower()
    assert seen in course_text(), f'{term.term}: neither lessons nor reference say {seen!r}; set `seen`'


@each_term
def test_it_is_said_in_one_sentence(term):
    assert term.says[0].isupper() or not term.says[0].isalpha(), term.says
    assert term.says.endswith(('.', '.)')) and len(term.says) < 160, term.says
    assert '$' not in term.symbol


def test_the_page_holds_every_term_and_links_what_it_can():
    page = glossary_page(PARTS, {'maths.schedule.snr': {'maths.schedule': 'api-maths.schedule.snr'}})
    rows = [line for line in page.splitlines() if line.startswith('| **')]
    assert len(rows) == len(TERMS)
    assert all(len(re.findall(r'(?<!\\)\|', line)) == 6 for line in rows), 'a bar inside of a cell'
    assert '[`maths.schedule.snr`](#api-maths.schedule.snr)' in page


def test_it_can_be_found():
    for file in ('README.md', 'CONTRIBUTING.md'):
        assert 'docs/glossary.yaml' in (ROOT / file).read_text(encoding='utf-8'), f'{file} does not link it'
