"Claims of the lessons: each is asserted, and the page lists them."

import ast
import re
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / 'docs'))
from claims import OUT_OF_SIGHT, all_claims, all_opaque, claims_of, claims_page, opaque_cells  # noqa: E402
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


@pytest.mark.parametrize('name,counts', all_opaque().items(), ids=lambda x: str(x))
def test_most_of_a_lesson_is_in_sight(name, counts):
    opaque, cells = counts
    assert OUT_OF_SIGHT * opaque <= cells, f'{name}: {opaque} of {cells} cells call a finished measurement'


def test_a_cell_that_calls_a_measurement_is_out_of_sight():
    code = 'from diffcourse.experiments.samplers import designs\ngrid, _ = designs()'
    assert opaque_cells(notebook(code)) == (1, 1)
    assert opaque_cells(notebook('def designs(): ...\ndesigns()')) == (0, 1)
    assert opaque_cells(notebook('#| hide\n' + code)) == (0, 0)


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
