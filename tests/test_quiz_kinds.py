"Every kind of question: right answers, blanks, its own score, and what the format refuses."

import itertools
import json
import math

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds_lab import ALL, ID, KINDS, ask, quick, values
from quiz_lab import BODY, GOOD

from diffcourse.quiz.core.grade import evidence_of, grade, right_answer
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.core.schema import UNSCORED, AnyQuestion, quiz_schema, schema_file
from diffcourse.quiz.core.source import BadFile, read_yaml
from diffcourse.quiz.ground.record import Result
from diffcourse.quiz.kinds.base import kind_name, kinds
from diffcourse.quiz.kinds.image import pictures_of
from diffcourse.quiz.kinds.order import common

pytestmark = pytest.mark.usefixtures('stood_in')


def test_there_are_fourteen_kinds():
    names = 'single multiple numeric shape short cloze match order image predict code challenge free reflect'
    assert set(KINDS) == set(kinds()) == set(names.split())


@pytest.mark.parametrize('kind', KINDS)
def test_the_right_answer_scores_in_every_variant(kind):
    for variant in range(ALL.variants):
        v = values(variant)
        q = ALL.question(ID[kind])
        result = grade(q, right_answer(q, v) or 'Thoughts.', v)
        assert result.state == ('review' if kind in UNSCORED else 'correct'), result
        assert (result.score is None) == (kind in UNSCORED)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    'blank', [None, '', ' ', '\n', math.nan, math.inf, -math.inf, True, False, 'nan', 'inf'], ids=repr
)
def test_blanks_and_no_numbers_never_score(kind, blank):
    result = grade(ALL.question(ID[kind]), blank, values())
    if kind in ('free', 'reflect', 'short') and isinstance(blank, str) and blank.strip():
        assert not result.score  # words, though not the right ones
    else:
        assert (result.state, result.score) == ('invalid', None)


def test_schema_file_is_in_step_and_knows_every_kind():
    schema = json.loads(schema_file().read_text('utf-8'))
    assert schema_file().read_text('utf-8') == quiz_schema()
    check = jsonschema.Draft202012Validator(schema)
    for kind, text in GOOD.items():
        data = read_yaml('good.yaml', text).data
        assert not list(check.iter_errors(data)), kind
        assert list(check.iter_errors(data | {'questions': [data['questions'][0] | {'colour': 1}]})), kind


@quick
@given(st.permutations(list('abcdef')), st.permutations(list('abcdef')))
def test_common_subsequence_is_the_longest(a, b):
    found = common(a, b)

    def within(s, of):
        return all(x in it for it in [iter(of)] for x in s)

    assert within(found, a) and within(found, b)
    assert len(found) == max(n for n in range(7) if any(within(s, b) for s in itertools.combinations(a, n)))


def test_order_scores_by_it():
    q, v = ask(BODY['order'])
    assert {''.join(p): grade(q, list(p), v).score for p in itertools.permutations('acb')} == {
        'acb': 1,
        'abc': 0.5,
        'cab': 0.5,
        'cba': 0.5,
        'bac': 0.5,
        'bca': 0,
    }


@quick
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.data())
def test_shape_slips_are_told_apart(shape, data):
    q, v = ask(f'  - {{id: q, kind: shape, prompt: P, answer: {shape}}}\n')
    given = data.draw(st.permutations(shape) | st.lists(st.integers(1, 9), min_size=1, max_size=5))
    result = grade(q, given, v)
    assert result.score == (given == shape)
    if len(given) != len(shape):
        tag = 'rank'
    elif given != shape and sorted(given) == sorted(shape):
        tag = 'axis-order'
    else:
        tag = ''
    assert result.tag == tag
    assert given == shape or result.feedback
    assert grade(q, str(tuple(given)), v) == result.model_copy(update={'given': result.given})


@quick
@given(st.dictionaries(st.sampled_from('abcde'), st.sampled_from('abcde'), min_size=5, max_size=5))
def test_match_scores_its_share_and_one_for_all_never_wins(chosen):
    items = ', '.join(f'{{id: {c}, text: {c}}}' for c in 'abcde')
    q, v = ask(
        f'  - {{id: q, kind: match, prompt: P, left: [{items}], right: [{items}], answer: {{a: a, b: b, c: '
        f'c, d: d, e: e}}}}\n'
    )
    assert grade(q, chosen, v).score == sum(k == w for k, w in chosen.items()) / 5
    for one in 'abcde':
        assert grade(q, dict.fromkeys('abcde', one), v).score < 1


@quick
@given(
    st.lists(st.sampled_from([(0.25, 1), (0.5, 0), (0.2, 0)]), min_size=1, max_size=1),
    st.sampled_from([('mixed', 1), ('Clean', 0)]),
    st.sampled_from([('VAR.', 1), ('sigma', 0), ('x', 0)]),
)
def test_cloze_scores_its_share(share, state, word):
    q, v = ask(BODY['cloze'])
    result = grade(q, [share[0][0], state[0], word[0]], v)
    assert result.score == (share[0][1] + state[1] + word[1]) / 3
    assert result.tag == ('not-squared' if share[0][0] == 0.5 else 'root' if word[0] == 'sigma' else '')


def test_image_shows_pictures_of_the_run_that_marks_it():
    q, v = ask(BODY['image'], variant=1)
    assert {k: p.getpixel((0, 0))[0] for k, p in pictures_of(q, v).items()} == {
        'none': 0,
        'some': int(255 * v.run('mix').value.ratio),
        'all': 255,
    }
    assert evidence_of(q, v) == v.run('mix').evidence
    assert grade(q, 'some', v).tag == 'mixed'
    few, fv = ask(BODY['image'].replace('mix.0.2', 'mix.0.9'))
    assert grade(few, 'all', fv).state == 'fault'
    none, nv = ask(BODY['image'].replace('mix.0.2', 'mix.3.0'))
    assert 'there is no picture' in grade(none, 'all', nv).feedback


def test_numbers_among_options_are_right_within_the_tolerance():
    text = (
        '  - {id: q, kind: single, prompt: P, answer: {from: mix.ratio}, tolerance: {abs: 0.1}, options: '
        '[{id: quarter, text: a quarter, value: 0.27}, {id: half, text: a half, value: %s, feedback: '
        'No.}]}\n'
    )
    q, v = ask(text % 0.5)
    assert grade(q, 'quarter', v).score == 1
    assert grade(q, 'half', v).score == 0
    q, v = ask(text % 0.3)
    assert grade(q, 'quarter', v).state == 'fault'  # two would be right


def test_a_stated_count_must_hold():
    q, v = ask(BODY['multiple'].replace('count: 2', 'count: 3'))
    assert grade(q, ['a', 'c'], v).state == 'fault'


def test_free_and_reflect_have_no_score_however_good():
    for kind, answer, tag in (
        ('free', 'From noise in small steps.', 'accept'),
        ('free', 'From noise.', 'review'),
        ('reflect', 'All of it.', ''),
    ):
        result = grade(ALL.question(ID[kind]), answer, values())
        assert (result.state, result.score, result.tag, result.weight) == ('review', None, tag, 0)
    with pytest.raises(ValueError):
        Result(**result.model_dump() | {'score': 1.0})


def test_reading_code_never_runs_it(tmp_path):
    q = ALL.question('half')
    sign = tmp_path / 'sign'
    opens_a_file = f'open({str(sign)!r}, "w")\ndef half(x): return x/2'
    assert grade(q, opens_a_file, values()).state == 'incorrect'
    assert not sign.exists()
    for bad in (
        'def half(x: return',
        'half',
        'def third(x): return x/3',
        '(' * 30_000,
        'x' * 30_000,
        '\0',
        'def half(x):\n  return ' + '-' * 15_000 + 'x',
    ):
        assert grade(q, bad, values()).state == 'invalid'


REFUSED = [
    ('shape', 'answer: {from: mix.shape}', 'answer: 4'),
    ('shape', 'axes: [batch, channels, height, width]', 'axes: batch'),
    ('short', 'answer: {from: mix.word}', 'answer: []'),
    ('cloze', '[[share]]', '[[shore]]'),
    ('cloze', 'gaps:\n', 'gaps:\n      more: {answer: 1}\n'),
    ('cloze', 'options: [mixed, clean]', 'options: [mixed, clean], tolerance: {abs: 1}'),
    ('match', 'low: {argmin: {from: mix.by}}', 'low: d'),
    ('match', '      low: {argmin', '      lou: {argmin'),
    ('match', '{id: b, text: second}', '{id: a, text: second}'),
    ('match', 'id: top', 'id: rank'),
    ('order', '{id: c, text: third, feedback: Between the two.}', '{id: b, text: third}'),
    ('order', 'answer: {rank: {a: 3, b: {from: mix.ratio}, c: 2}}', 'answer: [a, b]'),
    ('image', ', alt: A black square', ''),
    ('image', 'mix.0.0', 'mix'),
    ('image', 'answer:', 'anwser:'),
    ('predict', '    answer: {from: mix.ratio}\n', ''),
    ('predict', '    answer:', '    options: [{id: a, text: A}, {id: b, text: B}]\n    answer:'),
    ('code', 'draw: latents', 'draw: eval'),
    ('code', 'function: half', 'function: half()'),
    ('code', 'library: diffcourse.maths.guidance.cfg', 'library: os'),
    ('code', 'draw: constant, value: 2', 'draw: constant'),
    ('code', 'low: 1, high: 9', 'low: 9, high: 1'),
    ('code', 'shape: [1, 4, 8, 8]', 'shape: [4096, 4096]'),
    ('code', 'name: k', 'name: x'),
    ('free', 'order: [noise, steps]', 'order: [noise, step]'),
    ('free', 'id: steps', 'id: noise'),
    ('free', 'words: [[noise, noisy]]', 'words: []'),
    ('free', 'accept_at: 0.5', 'accept_at: 2'),
    ('reflect', 'answer: The noise.', 'answer: 5'),
    ('multiple', 'count: 2', 'count: 0'),
    ('numeric', 's0.p1.q18', 'q18'),
]


@pytest.mark.parametrize('kind,old,new', REFUSED, ids=[f'{k}-{n[:20]}' for k, _, n in REFUSED])
def test_what_the_format_refuses(kind, old, new):
    assert old in GOOD[kind]
    with pytest.raises(BadFile) as e:
        read_quiz('good.yaml', GOOD[kind].replace(old, new, 1))
    assert all(m.line > 7 for m in e.value.messages)


def test_every_kind_is_in_the_union():
    members = AnyQuestion.__origin__.__args__
    assert {kind_name(m) for m in members} == set(KINDS)
