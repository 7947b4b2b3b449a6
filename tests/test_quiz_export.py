"""Other systems: what goes out is what was measured, what comes in is a questionnaire, and nothing is lost
in silence."""

import io
import json
import zipfile
from typing import Annotated
from xml.etree import ElementTree

import pytest
from pydantic import Field

from diffcourse.base.errors import BadInput
from diffcourse.quiz.core.grade import grade, right_answer
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.ground.values import Values
from diffcourse.quiz.formats.export import FORMATS, export_quiz
from diffcourse.quiz.formats.export_gift import to_gift
from diffcourse.quiz.formats.export_jupyterquiz import to_jupyterquiz
from diffcourse.quiz.formats.frozen import freeze
from diffcourse.quiz.formats.import_gift import from_gift
from diffcourse.quiz.formats.import_jupyterquiz import from_jupyterquiz
from diffcourse.quiz.formats.imports import import_quiz
from diffcourse.quiz.formats.public import public_questions
from diffcourse.quiz.probe.outcome import Outcome
from diffcourse.quiz.probe.registry import Registry, probe

LAB = Registry()


class Doubled(Outcome):
    "Twice a number."

    twice: float


@probe('double', registry=LAB)
def double(x: Annotated[float, Field(ge=0, le=100)]) -> Doubled:
    "A number times two."
    return Doubled(twice=2 * x)


QUIZ = """schema: diffcourse.quiz/1
id: all
title: All of them
params: {x: {choice: [3, 5]}}
variants: 2
probes: {d: {use: double, with: {x: $x}}}
questions:
  - {id: live, kind: numeric, prompt: "Twice {x} = ? {{~}} # : \\\\", answer: {from: d.twice},
      tolerance: {abs: 0.25}, wrong: [{tag: secretrule, near: {from: d.twice}, feedback: Secret rule.}],
      hints: [Secret hint.], explain: "Secret: {d.twice:.1f}."}
  - {id: lit, kind: numeric, prompt: A half?, answer: 0.5, tolerance: {abs: 0.01}}
  - {id: one, kind: single, prompt: "Which one?\\n\\nReally?", answer: {argmax: {a: {from: d.twice}, b: 1}},
      options: [{id: a, text: "A {{b}} = ~c"}, {id: b, text: "B # : \\\\ d", feedback: "Secret no = no."}]}
  - {id: some, kind: multiple, prompt: Which?, answer: [a, b],
      options: [{id: a, text: A}, {id: b, text: B}, {id: c, text: C, feedback: Secret.},
      {id: d, text: D, feedback: Secret.}]}
  - {id: word, kind: short, prompt: Say it., answer: [noise, the noise]}
  - {id: size, kind: shape, prompt: Which shape?, answer: [1, 4, 8, 8]}
  - {id: pairs, kind: match, prompt: Match., left: [{id: x, text: One}, {id: y, text: Two}],
      right: [{id: p, text: Eins}, {id: q, text: Zwei}, {id: r, text: Drei}], answer: {x: p, y: q}}
  - {id: steps, kind: order, prompt: Order., items: [{id: a, text: First}, {id: b, text: Second},
      {id: c, text: Third}], answer: [a, b, c]}
  - {id: gaps, kind: cloze, prompt: Fill in., text: "A [[one]] and [[two]].",
      gaps: {one: {answer: secretword}, two: {answer: 2, tolerance: {abs: 0.1}}}}
  - {id: why, kind: reflect, prompt: Why?, answer: Secret.}
  - {id: write, kind: code, prompt: Write., spec: {function: mix, library: diffcourse.maths.guidance.cfg,
      starter: "def mix(): ...", inputs: [{name: secretinput, draw: floats}]}, answer: "secret"}
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'all.yaml').write_text(QUIZ)
    return tmp_path / 'all.yaml'


def test_frozen(path):
    "Both variants are written out; numbers are those that were measured, with where they came from."
    frozen, lost = freeze(path, registry=LAB)
    assert len(frozen) == 22 and {f.id for f in frozen} >= {'live-v1', 'live-v2'}
    a, b = (next(f for f in frozen if f.id == f'live-v{n}') for n in (1, 2))
    assert {a.answer, b.answer} == {6.0, 10.0}
    assert a.interval[0] == pytest.approx(a.answer - 0.25)
    assert 'probe double' in a.explain
    assert [str(x) for x in lost]
    assert all('code' in x.what for x in lost)


@pytest.mark.parametrize('to', FORMATS)
def test_well_formed_and_the_same_again(path, to):
    raw, lost = export_quiz(path, to, registry=LAB)
    assert export_quiz(path, to, registry=LAB) == (raw, lost) and lost
    if to == 'jupyterquiz':
        json.loads(raw)
    if to == 'moodle':
        root = ElementTree.fromstring(raw)
        assert len(root) == 22
        assert root[0].find('answer/tolerance').text == '0.25'
        assert 'probe double' in root[0].find('generalfeedback/text').text
    if to == 'qti':
        with zipfile.ZipFile(io.BytesIO(raw)) as z:
            names = z.namelist()
            items = {n: ElementTree.fromstring(z.read(n)) for n in names}
        assert 'imsmanifest.xml' in names
        assert len(names) == 21
        assert all(f'items/{n}-v1.xml' in names for n in ('live', 'one', 'pairs', 'steps'))
        assert b'gte' in ElementTree.tostring(items['items/live-v1.xml'])
    if to == 'gift':
        assert raw.decode().count('::') >= 40


@pytest.mark.parametrize(
    'to,gone',
    [
        ('jupyterquiz', {'pairs', 'steps', 'gaps', 'why', 'write'}),
        ('gift', {'gaps'}),
        ('moodle', set()),
        ('qti', {'gaps'}),
    ],
)
def test_losses_are_told(path, to, gone):
    "A question that isn't in the file is in the report."
    _, lost = export_quiz(path, to, registry=LAB)
    assert {x.question for x in lost if 'the whole question' in x.what} == {
        f'{n}-v{v}' for n in gone for v in (1, 2)
    }


@pytest.mark.parametrize('to,read', [(to_jupyterquiz, from_jupyterquiz), (to_gift, from_gift)])
def test_round_trip(path, tmp_path, to, read):
    """The common part – choices, numbers, texts; in GIFT also pairs – comes back: the same text, the same
    right answers, the same marks."""
    frozen, _ = freeze(path, registry=LAB)
    kept = [
        f
        for f in frozen
        if f.form in (('choice', 'choices', 'number', 'text') + (('match',) if to is to_gift else ()))
    ]
    questions, lost = read(to(kept)[0])
    assert not lost and len(questions) == len(kept)
    file = tmp_path / ('back.json' if to is to_jupyterquiz else 'back.gift')
    file.write_text(to(kept)[0])
    quiz = read_quiz('back.yaml', import_quiz(file)[0])[0]
    values = Values(quiz)
    for f, q in zip(kept, quiz.questions, strict=True):
        assert values.text(q.prompt) == f.prompt
        assert (
            q.kind
            == {
                'choice': 'single',
                'choices': 'multiple',
                'number': 'numeric',
                'text': 'short',
                'match': 'match',
            }[f.form]
        )
        assert grade(q, right_answer(q, values), values).score == 1
        if f.form in ('choice', 'choices'):
            assert [
                (values.text(o.text), values.text(o.feedback))
                for o in q.options
                if not f.options[q.options.index(o)][2]
            ] == [(t, fb) for _, t, ok, fb in f.options if not ok]
        if f.form == 'number':
            assert grade(q, f.interval[0] + 1e-6, values).score == 1
            assert grade(q, f.interval[1] + 1e-3, values).score == 0
        if f.form == 'text':
            assert all(grade(q, a, values).score == 1 for a in f.answer)


def test_exported_again_is_the_same(path, tmp_path):
    "Out, in, out: GIFT to the letter but for ids."
    frozen, _ = freeze(path, registry=LAB)
    first = to_gift([f for f in frozen if f.form in ('choice', 'text')])[0]
    (tmp_path / 'x.gift').write_text(first)
    (tmp_path / 'x.yaml').write_text(import_quiz(tmp_path / 'x.gift')[0])
    (tmp_path / 'y.gift').write_text(second := export_quiz(tmp_path / 'x.yaml', 'gift')[0].decode())
    (tmp_path / 'y.yaml').write_text(import_quiz(tmp_path / 'y.gift')[0])
    assert export_quiz(tmp_path / 'y.yaml', 'gift')[0].decode() == second


def test_public_gives_nothing_away(path):
    data = public_questions(path, registry=LAB)
    text = json.dumps(data).lower()
    assert 'secret' not in text
    assert not any(
        f'"{k}"' in text
        for k in (
            'answer',
            'wrong',
            'feedback',
            'tests',
            'tolerance',
            'correct',
            'value',
            'hints',
            'explain',
            'probes',
            'inputs',
            'library',
            'params',
        )
    )
    assert [len(v['questions']) for v in data['variants']] == [11, 11]
    assert 'Twice 3' in json.dumps(data)
    assert 'Twice 5' in json.dumps(data)


def test_public_order_is_shuffled(tmp_path):
    "The order in which things stand in the file is often the answer."
    items = ', '.join(f'{{id: i{n}, text: T{n}}}' for n in range(9))
    ids = [f'i{n}' for n in range(9)]
    (tmp_path / 'o.yaml').write_text(
        f'{{schema: diffcourse.quiz/1, id: o, title: O, questions: [{{id: q, kind: order, prompt: Order., '
        f'items: [{items}], answer: [{", ".join(ids)}]}}]}}'
    )
    assert [
        i['id'] for i in public_questions(tmp_path / 'o.yaml')['variants'][0]['questions'][0]['items']
    ] != ids


@pytest.mark.parametrize(
    'text',
    [
        '::a::What {=x ~y',
        'no braces',
        '{=a ~b}',
        'q {a}',
        'q {=a {~b}}',
        'q {~%50%a =%50%b}',
        'q {#x}',
        'q {~a ~b}',
        'q {=a -> b}',
        '$CATEGORY: x',
        '\x00\x01',
        '::' * 500,
        '{' * 5000,
    ],
)
def test_strange_gift_is_told_not_raised(text):
    try:
        questions, lost = from_gift(text)
    except BadInput as e:
        assert '\n' not in str(e)
        return
    assert lost or all(q['kind'] for q in questions)


@pytest.mark.parametrize('text', ['', '{}', '[', '"x"', 'null', '[' * 5000])
def test_strange_jupyterquiz_is_refused(text):
    with pytest.raises(BadInput):
        from_jupyterquiz(text)


@pytest.mark.parametrize(
    'one',
    [
        1,
        {},
        {'type': 'numeric', 'question': 'x', 'answers': []},
        {'type': 'multiple_choice', 'question': 'x', 'answers': [{'answer': 'a', 'correct': True}]},
        {'type': 'video', 'question': 'x', 'answers': []},
        {'type': 'numeric', 'question': 'x', 'answers': [{'type': 'value', 'value': 'x', 'correct': True}]},
    ],
)
def test_strange_questions_are_left_out(one):
    good = {'type': 'numeric', 'question': 'x', 'answers': [{'type': 'value', 'value': 2, 'correct': True}]}
    questions, lost = from_jupyterquiz(json.dumps([one, good]))
    assert len(questions) == len(lost) == 1


def test_braces_and_dollars_of_others_mean_nothing(tmp_path):
    "A text from elsewhere can't name a probe or a param."
    (tmp_path / 'x.gift').write_text(r'Cost of \{d.twice\}? {=$seed =\{run.model\}}')
    quiz = read_quiz('x.yaml', import_quiz(tmp_path / 'x.gift')[0])[0]
    values = Values(quiz)
    q = quiz.questions[0]
    assert values.text(q.prompt) == 'Cost of {d.twice}?' and grade(q, '$seed', values).score == 1


def test_unknown_format(path):
    with pytest.raises(BadInput, match='gift'):
        export_quiz(path, 'word', registry=LAB)
