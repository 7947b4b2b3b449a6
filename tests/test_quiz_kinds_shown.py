"Every kind on every face: its solution, the terminal, the panel."

import pytest
from kinds_lab import ID, KINDS
from quiz_lab import GOOD, lab

from diffcourse.quiz.core.grade import right_answer
from diffcourse.quiz.core.schema import UNSCORED
from diffcourse.quiz.core.session import Session
from diffcourse.quiz.core.store import Store

pytestmark = pytest.mark.usefixtures('stood_in')


@pytest.mark.parametrize('kind', KINDS)
def test_a_solution_can_be_shown(kind, tmp_path):
    (tmp_path / 'good.yaml').write_text(GOOD[kind])
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    if kind == 'predict':
        session.check('guess', 0.5)
    shown = session.solution(ID[kind]).answer
    want = {
        'shape': '(1, 4, 16, 8)',
        'match': 'the largest: first; the smallest: second',
        'order': 'first; third; second',
        'image': 'A red square',
        'single': 'It raises it',
        'code': 'def half(x): return x/2',
        'cloze': 'share: 0.25; state: mixed; word: variance',
    }
    assert shown and (kind not in want or shown == want[kind])
    session.store.close()


TYPED = {
    'single': lambda n: n['up'],
    'multiple': lambda n: f'{n["a"]}, {n["c"]}',
    'numeric': lambda n: '25.9 %',
    'shape': lambda n: '(1, 4, 16, 8)',
    'short': lambda n: 'the Variance',
    'cloze': lambda n: '0.259; mixed; var',
    'match': lambda n: f'{n["a"]} {n["b"]}',
    'order': lambda n: f'{n["a"]}, {n["c"]}, {n["b"]}',
    'image': lambda n: n['all'],
    'predict': lambda n: '0.25',
    'challenge': lambda n: '0.6',
    'free': lambda n: 'From noise in small steps.',
    'reflect': lambda n: 'All of it.',
}


@pytest.mark.parametrize('kind', [*TYPED, 'code'])
def test_every_kind_can_be_answered_on_a_terminal(kind, tmp_path):
    from rich.console import Console

    from diffcourse.quiz.faces.terminal import take

    (tmp_path / 'good.yaml').write_text(
        GOOD[kind]
        .replace('seed: $n', 'seed: 9, wobble: 0.1')
        .replace('tolerance: {rel: 0.01}', 'tolerance: {rel: 0.02}')
    )
    (tmp_path / 'half.py').write_text('def half(x): return x/2')
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    number = {i: str(k) for k, (i, _) in enumerate(session.options(ID[kind]), 1)}
    lines = iter([TYPED[kind](number) if kind in TYPED else str(tmp_path / 'half.py'), 'q'])
    out = Console(record=True, width=100, file=open(tmp_path / 'out', 'w', encoding='utf-8'))
    take('good', session=session, read=lambda: next(lines), console=out)
    result = session.results[ID[kind]]
    assert result.state == ('review' if kind in UNSCORED else 'correct'), result
    assert session.prompt(ID[kind])[:8] in out.export_text()
    session.store.close()


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_has_a_panel(kind, tmp_path):
    from diffcourse.quiz.faces.card import Card

    (tmp_path / 'good.yaml').write_text(GOOD[kind])
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    card = Card(session, ID[kind])
    untouched = 'incorrect' if kind == 'code' else 'invalid'
    assert session.check(ID[kind], card.read()).state in ('invalid', untouched)
    fields = [w for w in walk_widgets(card.input) if hasattr(w, 'value') and type(w).__name__ != 'HTML']
    assert fields and all(f.tooltip or f.description for f in fields)
    right = right_answer(session.question(ID[kind]), session.values) or 'Thoughts.'
    fill_in(kind, fields, right, session)
    card.on_check()
    result = session.results[ID[kind]]
    assert result.state == ('review' if kind in UNSCORED else 'correct'), result
    session.store.close()


def fill_in(kind, fields, right, session):
    "Put the right answer into the fields of a panel."
    if kind in ('match', 'cloze'):
        for field, value in zip(fields, right.values(), strict=True):
            is_list = kind == 'match' or field.description == 'state'
            field.value = value if is_list else str(value)
    elif kind == 'order':
        for field, value in zip(fields, right, strict=True):
            field.value = value
    elif kind == 'multiple':
        for field, (id, _) in zip(fields, session.options(ID[kind]), strict=True):
            field.value = id in right
    elif kind in ('single', 'image'):
        fields[0].value = right
    else:
        fields[0].value = ', '.join(map(str, right)) if isinstance(right, list) else str(right)


def walk_widgets(widget):
    "A widget and all that is in it."
    yield widget
    for child in getattr(widget, 'children', ()):
        yield from walk_widgets(child)
