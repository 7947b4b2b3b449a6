"Claims of the lessons: each is asserted, and the page lists them."

import ast
import re
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / 'docs'))
from claims import all_claims, claims_of, claims_page  # noqa: E402
from notebooks import read  # noqa: E402

LESSONS = all_claims()


def notebook(code, heading='## Part'):
    return {'cells': [dict(cell_type='markdown', source=heading), dict(cell_type='code', source=code)]}


def test_a_claim_has_a_sentence_and_an_assert():
    code = '#| hide\n# claim: one\nassert 1\n# claim (over 5 seeds): two\nassert 2\nassert 3'
    first, second = claims_of(notebook(code))
    assert (first.says, first.over, first.asserts, first.section) == ('one', '', 1, 'Part')
    assert (second.says, second.over, second.asserts) == ('two', 'over 5 seeds', 2)


@pytest.mark.parametrize('code', ['# claim: nothing checks it\nx = 1', '# claim one\nassert 1'])
def test_a_claim_without_one_is_refused(code):
    with pytest.raises(ValueError, match='expected'):
        claims_of(notebook(code))


@pytest.mark.parametrize('lesson', LESSONS, ids=lambda lesson: lesson[0])
def test_every_lesson_claims_something_and_something_over_seeds(lesson):
    found = LESSONS[lesson]
    assert len(found) >= 5
    assert any(c.over for c in found)


def test_the_page_lists_every_claim():
    page = claims_page(LESSONS)
    assert page.count('\n* ') == sum(map(len, LESSONS.values()))
    assert all(f'({name}.ipynb)' in page for name, _ in LESSONS)


def test_all_of_diffusion_is_on_one_page():
    "Lesson 02 ends with a cell that needs nothing but torch: schedule, network, training, sampler."
    cells = read(ROOT / 'nbs/lessons/02_noise.ipynb')['cells']
    (page,) = [c['source'] for c in cells if c['cell_type'] == 'code' and 'class UNet(' in c['source']]
    imported = re.findall(r'^(?:import|from) (\w+)', page, flags=re.M)
    assert set(imported) == {'torch'}
    assert len(page.splitlines()) <= 100
    names = {o.name for o in ast.parse(page).body if isinstance(o, (ast.FunctionDef, ast.ClassDef))}
    assert {'UNet', 'train', 'sample'} <= names
