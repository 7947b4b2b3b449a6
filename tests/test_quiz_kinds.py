"Every kind of question, every answer: what scores, what does not, and that it is the same everywhere."

import itertools
import json
import math
import sys
from types import SimpleNamespace

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_vectors import FOLDER, QUIZ, tried, vectors
from quiz_lab import BODY, EVERYTHING, GOOD, HEAD, lab, mixing, stand_in

from diffcourse.base.errors import CourseError
from diffcourse.quiz.core.grade import evidence_of, grade, right_answer
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.core.schema import UNSCORED, AnyQuestion, QuizFile, quiz_schema, schema_file
from diffcourse.quiz.core.session import Progress, Session
from diffcourse.quiz.core.source import BadFile, read_yaml
from diffcourse.quiz.core.store import Store
from diffcourse.quiz.ground.answers import (
    normal,
    read_choice,
    read_choices,
    read_named,
    read_number,
    read_order,
    read_shape,
    read_text,
)
from diffcourse.quiz.ground.parts import Live
from diffcourse.quiz.ground.record import SCORED, STATES, Result
from diffcourse.quiz.ground.rng import draws, hash32, shuffled, whole_between
from diffcourse.quiz.ground.values import BrokenQuiz, Values
from diffcourse.quiz.kinds.base import kinds, option_order
from diffcourse.quiz.kinds.image import pictures_of
from diffcourse.quiz.kinds.order import common
from diffcourse.quiz.probe.outcome import CannotRun
from diffcourse.quiz.probe.registry import Registry, probe

ALL, DOCUMENT = read_quiz('good.yaml', EVERYTHING)
KINDS = [q.kind for q in ALL.questions]
ID = {q.kind: q.id for q in ALL.questions}


@pytest.fixture(autouse=True)
def stood_in(monkeypatch, tmp_path_factory):
    "No model, no child process, a data folder of our own."
    stand_in(monkeypatch)
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path_factory.getbasetemp() / 'home'))


def ask(text, registry=lab, variant=0):
    "A question from its YAML, and its values."
    quiz, _ = read_quiz('asked.yaml', text if text.startswith('schema') else HEAD + text)
    return quiz.questions[0], Values(quiz, variant, registry=registry)


def values(variant=0):
    return Values(ALL, variant, registry=lab)


# ---- the kinds


def test_there_are_fourteen_kinds():
    assert (
        set(KINDS)
        == set(
            (
                'single multiple numeric shape short cloze match order image predict code challenge free '
                'reflect'
            ).split()
        )
        == set(kinds())
    )


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
        assert result.state == 'invalid' and result.score is None


def test_schema_file_is_in_step_and_knows_every_kind():
    schema = json.loads(schema_file().read_text('utf-8'))
    assert schema_file().read_text('utf-8') == quiz_schema()
    check = jsonschema.Draft202012Validator(schema)
    for kind, text in GOOD.items():
        data = read_yaml('good.yaml', text).data
        assert not list(check.iter_errors(data)), kind
        assert list(check.iter_errors(data | {'questions': [data['questions'][0] | {'colour': 1}]})), kind


# ---- rules that hold for any answer

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=3)
    | st.sampled_from(
        [
            'up',
            'a',
            'b',
            'c',
            '0.25',
            '25 %',
            'a=1',
            '1;2;3',
            '1,4,16,8',
            'variance',
            'def half(x): return x/2',
            'a b c',
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(['share', 'state', 'word', 'top', 'low', 'x']), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=6,
)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(st.sampled_from(KINDS), anything)
def test_any_answer_gets_a_state_and_plain_data(kind, answer):
    result = grade(ALL.question(ID[kind]), answer, values())
    assert result.state in STATES and (result.score is None) == (result.state not in SCORED)
    assert result.state not in ('fault', 'ungraded'), result.feedback
    assert Result.model_validate_json(result.model_dump_json()) == result
    assert grade(ALL.question(ID[kind]), answer, values()).model_dump_json() == result.model_dump_json()
    assert kind not in UNSCORED or result.score is None


@quick
@given(st.sampled_from(KINDS), anything)
def test_what_was_kept_is_marked_the_same_again(kind, answer):
    "Marking anew starts from the stored answer."
    first = grade(ALL.question(ID[kind]), answer, values())
    if first.score is not None:
        assert grade(ALL.question(ID[kind]), json.loads(first.model_dump_json())['given'], values()) == first


BROKEN = {
    'zero': ZeroDivisionError,
    'memory': MemoryError,
    'assert': AssertionError,
    'os': OSError,
    'absent': CannotRun,
    'course': CourseError,
}


@pytest.mark.parametrize('kind', sorted(set(KINDS) - {'code', 'free', 'reflect'}))
@pytest.mark.parametrize('how', BROKEN)
def test_no_exception_path_scores(kind, how):
    "Whatever a probe raises: no score, for the right answer least of all."
    broken = Registry()

    def fails(*args, **kw):
        raise BROKEN[how]('oops')

    broken['mixing'] = lab['mixing'].__class__(
        **vars(lab['mixing']) | {'function': fails, 'version': 1000 + list(BROKEN).index(how)}
    )
    q, good = ALL.question(ID[kind]), values()
    right = right_answer(q, good)
    state = 'ungraded' if how in ('absent', 'course') else 'fault'
    result = grade(q, right, Values(ALL, registry=broken))
    assert (result.state, result.score) == (state, None)
    for other in (None, 'x', 0, [], {}):
        assert grade(q, other, Values(ALL, registry=broken)).score is None


@pytest.mark.parametrize('kind', ['code', 'free'])
@pytest.mark.parametrize(
    'error,state',
    [(ZeroDivisionError, 'fault'), (MemoryError, 'fault'), (CourseError, 'ungraded'), (None, 'ungraded')],
)
def test_a_failing_or_missing_part_scores_nothing(kind, error, state, monkeypatch):
    def fails(*args):
        raise error('oops')

    monkeypatch.setitem(
        sys.modules,
        {'code': 'diffcourse.quiz.sandbox.code', 'free': 'diffcourse.quiz.free.marking'}[kind],
        error and SimpleNamespace(mark_code=fails, mark_free=fails),
    )
    q = ALL.question(ID[kind])
    result = grade(q, right_answer(q, values()), values())
    assert (result.state, result.score) == (state, None)


@pytest.mark.parametrize(
    'report',
    [
        dict(score=2.0),
        dict(score=-1.0),
        dict(score=math.nan),
        dict(score='1'),
        dict(score=None),
        dict(ok=False),
        dict(state='great'),
        dict(state='fault'),
        dict(state=None),
        dict(score=True, ok=False),
    ],
    ids=repr,
)
def test_a_strange_report_on_code_scores_nothing(report, monkeypatch):
    made = dict(ok=True, score=1.0, messages=[], state='correct') | report
    monkeypatch.setitem(
        sys.modules,
        'diffcourse.quiz.sandbox.code',
        SimpleNamespace(mark_code=lambda *a: SimpleNamespace(**made)),
    )
    q = ALL.question('half')
    assert grade(q, q.answer, values()).state == 'fault'


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            anything
            | st.sampled_from(
                [
                    0.25,
                    'up',
                    ['a', 'c'],
                    [1, 4, 16, 8],
                    'variance',
                    ['a', 'b'],
                    'a c b',
                    'all',
                    0.6,
                    'def half(x): return x/2',
                ]
            ),
        ),
        max_size=8,
    )
)
def test_marks_never_fall(answers):
    session = Session.__new__(Session)
    session.quiz, session.document, session.values, session.store, session.results = (
        ALL,
        DOCUMENT,
        values(),
        Store(':memory:'),
        {},
    )
    best = 0
    for kind, answer in answers:
        session.check(ID[kind], answer)
        assert session.progress().score >= best
        best = session.progress().score
    session.store.close()


# ---- single kinds, closely


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
    want = (
        ''
        if given == shape
        else 'rank'
        if len(given) != len(shape)
        else 'axis-order'
        if sorted(given) == sorted(shape)
        else ''
    )
    assert result.tag == want and (given == shape or result.feedback)
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
    assert evidence_of(q, v) == v.run('mix').evidence and grade(q, 'some', v).tag == 'mixed'
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
    assert grade(q, 'quarter', v).score == 1 and grade(q, 'half', v).score == 0
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
    assert (
        grade(q, f'open({str(sign)!r}, "w")\ndef half(x): return x/2', values()).state == 'incorrect'
        and not sign.exists()
    )
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


# ---- predictions


def test_a_prediction_is_locked_before_the_run(tmp_path):
    path = tmp_path / 'good.yaml'
    path.write_text(GOOD['predict'])
    store, seen = Store(':memory:'), []
    watched = Registry(lab)
    look = lab['mixing'].function

    def watch(*args, **kw):
        seen.append(store.events('good', 'guess')[-1]['what'])
        return look(*args, **kw)

    watched['mixing'] = lab['mixing'].__class__(**vars(lab['mixing']) | {'function': watch, 'version': 77})
    session = Session(path, store=store, registry=watched)
    with pytest.raises(CourseError, match='expect first'):
        session.solution('guess')
    assert (
        session.evidence('guess') == []
        and session.check('guess', 'much').state == 'invalid'
        and session.locked('guess') is None
        and not seen
    )
    first = session.check('guess', 0.5)
    assert (
        seen[0] == 'lock'
        and first.tag == 'not-squared'
        and session.locked('guess') == 0.5
        and 'It was' in str(first)
    )
    for later in (0.25, 'nonsense', None):
        again = Session(path, store=store, registry=watched).check('guess', later)
        assert (again.score, again.given) == (0, 0.5) and 'locked in' in again.feedback
    assert session.attempts('guess') == 1 and session.solution('guess').explain and session.evidence('guess')
    assert Session(path, variant=1, store=store, registry=watched).locked('guess') is None
    store.close()


def test_a_prediction_can_be_a_choice():
    text = (
        '  - {id: q, kind: predict, prompt: P, answer: {rises: {from: mix.sweep}}, options: [{id: up, '
        'text: Up, value: true}, {id: down, text: Down, value: false, feedback: It rose., tag: fell}]}\n'
    )
    q, v = ask(text)
    assert (
        grade(q, 'up', v).score == 1
        and grade(q, 'down', v).tag == 'fell'
        and grade(q, 0.5, v).state == 'invalid'
    )
    assert [o.id for o in option_order(q, 'good', 0)] in (['up', 'down'], ['down', 'up']) and option_order(
        ALL.question('guess'), 'good', 0
    ) == []


def test_progress_counts_what_can_have_a_mark(tmp_path):
    (tmp_path / 'good.yaml').write_text(HEAD + BODY['numeric'] + BODY['reflect'] + BODY['free'])
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    for id, answer in (
        ('think', 'So.'),
        ('why', 'From noise in small steps.'),
        ('share', right_answer(session.question('share'), session.values)),
    ):
        session.check(id, answer)
    assert session.progress() == Progress(1, 1, 1, 1.0, 1.0)
    assert 'From noise' in str(session.solution('why')) and 'The noise.' in str(session.solution('think'))
    session.store.close()


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


# ---- live values

OPERATIONS = [
    ({'ratio': [1, 4]}, 0.25),
    ({'difference': [1, 4]}, -3),
    ({'round': [{'ratio': [2, 3]}, 2]}, 0.67),
    ({'round': [2.5, 0]}, 2),
    ({'equal': [0.1 + 0.2, 0.3]}, True),
    ({'equal': ['a', 'a']}, True),
    ({'equal': [1, True]}, False),
    ({'equal': [1, '1']}, False),
    ({'rises': [1, 2, 3]}, True),
    ({'rises': [1, 1]}, False),
    ({'falls': [3, 2, 2.5]}, False),
    ({'falls': {'a': 2, 'b': 1}}, True),
    ({'argmax': [1, 9, 3]}, 1),
    ({'argmax': {'a': 1, 'b': 0}}, 'a'),
    ({'argmin': {'a': 1, 'b': 0}}, 'b'),
    ({'argmax': [1, 1]}, BrokenQuiz),
    ({'rank': {'a': 1, 'b': 3, 'c': 2}}, ['b', 'c', 'a']),
    ({'rank': [1, 1, 2]}, BrokenQuiz),
    ({'ratio': [1, 0]}, BrokenQuiz),
    ({'ratio': [1, 'x']}, BrokenQuiz),
    ({'difference': [True, 0]}, BrokenQuiz),
    ({'from': 'mix.sweep.1'}, 0.25),
    ({'from': 'mix.by.c'}, 2.0),
    ({'from': 'mix.sweep.9'}, BrokenQuiz),
    ({'from': 'mix.nothing'}, BrokenQuiz),
    ({'from': 'max.ratio'}, BrokenQuiz),
    ({'argmax': {'from': 'mix.by'}}, 'a'),
    ({'rank': {'from': 'mix.sweep'}}, [2, 1, 0]),
    ({'rises': {'from': 'mix.ratio'}}, BrokenQuiz),
    ({'argmax': {'a': {'ratio': [{'from': 'mix.ratio'}, 0.5]}, 'b': 0.4}}, 'a'),
]


@pytest.mark.parametrize('value,want', OPERATIONS, ids=lambda x: str(x)[:40])
def test_the_algebra(value, want):
    quiz, _ = read_quiz('good.yaml', HEAD.replace('seed: $n', 'seed: 0') + BODY['numeric'])
    v = Values(quiz, registry=lab)
    if want is BrokenQuiz:
        pytest.raises(BrokenQuiz, v.get, Live.model_validate(value))
    else:
        assert v.get(Live.model_validate(value)) == want and type(v.get(Live.model_validate(value))) is type(
            want
        )


@pytest.mark.parametrize(
    'kind', ['numeric', 'shape', 'cloze', 'order', 'match', 'image', 'predict', 'short', 'single']
)
def test_live_keys_move_with_the_model(kind):
    "Another model, another key; the old answer no longer scores."
    other = Registry()

    @probe('mixing', version=9, registry=other)
    def changed(noise: float, seed: int = 0, wobble: float = 0.0) -> lab['mixing'].outcome:
        "Another model."
        value, evidence = mixing(noise, seed, wobble)
        return value.model_copy(
            update=dict(
                ratio=2.5,
                sweep=[3.0, 2.0, 1.0],
                shape=[2, 4, 16, 8],
                word='entropy',
                by={'a': 1.0, 'b': 2.0, 'c': 3.0},
            )
        ), evidence

    q = (
        ALL.question(ID[kind])
        if kind != 'single'
        else ask(BODY['single'].replace('{rises: [0, {from: mix.ratio}]}', '{rises: {from: mix.sweep}}'))[0]
    )
    before, after = values(), Values(ALL, registry=other)
    assert right_answer(q, before) != right_answer(q, after)
    assert (
        grade(q, right_answer(q, before), before).score == 1
        and grade(q, right_answer(q, before), after).score < 1
        and grade(q, right_answer(q, after), after).score == 1
    )


# ---- the same in every language

READERS = {
    'shape': read_shape,
    'choice': read_choice,
    'choices': read_choices,
    'order': read_order,
    'named': read_named,
}


def stored(name):
    return json.loads((FOLDER / f'{name}.json').read_text('utf-8'))


def test_there_are_enough_vectors():
    files = {p.stem: stored(p.stem) for p in FOLDER.glob('*.json')}
    assert sum(len(f['cases'] if isinstance(f, dict) else f) for f in files.values()) >= 300
    assert set(files) == {'numbers', 'texts', 'answers', 'chance', 'marks'}
    assert {json.dumps(c['result']['state']) for c in files['marks']['cases']} == {
        f'"{s}"' for s in ('correct', 'partial', 'incorrect', 'invalid', 'review')
    }


def test_vectors_of_numbers_and_texts():
    for c in stored('numbers'):
        assert tried(read_number, c['given'], c.get('unit', '')) == {
            k: v for k, v in c.items() if k in ('value', 'invalid')
        }, c
    for c in stored('texts'):
        assert (
            normal(c['given']) == c['normal']
            and ('value' in (t := tried(read_text, c['given']))) == ('value' in c)
            and t.get('value') == c.get('value')
        ), c


def test_vectors_of_answers():
    for c in stored('answers'):
        assert tried(READERS[c['reads']], c['given'], *([c['ids']] if 'ids' in c else [])) == {
            k: v for k, v in c.items() if k in ('value', 'invalid')
        }, c


def test_vectors_of_chance():
    for c in stored('chance'):
        source = draws(c['key'])
        assert (
            hash32(c['key']) == c['hash32']
            and [next(source) for _ in c['draws']] == c['draws']
            and shuffled(c['key'], list('abcdefg')) == c['shuffled']
        )
        assert (
            shuffled(c['key'], [0, 1]) == c['two']
            and [whole_between(c['key'], 0, 9), whole_between(c['key'], -50, 10**6)] == c['whole']
        )


def test_vectors_of_marks():
    file = stored('marks')
    quiz = QuizFile.model_validate_json(json.dumps(file['quiz']), strict=True)
    assert file['quiz'] == QUIZ
    for c in file['cases']:
        v = Values(quiz, c['variant'])
        assert (
            v.params == c['params']
            and grade(quiz.question(c['result']['question']), c['given'], v).to_json() == c['result']
        ), c


def test_vectors_are_what_the_script_writes():
    for name, cases in vectors().items():
        assert json.loads(json.dumps(cases)) == stored(name)


# ---- what the format refuses

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
    assert {m.model_fields['kind'].annotation.__args__[0] for m in AnyQuestion.__origin__.__args__} == set(
        KINDS
    )


# ---- faces

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
    assert session.results[ID[kind]].state == ('review' if kind in UNSCORED else 'correct'), session.results[
        ID[kind]
    ]
    assert session.prompt(ID[kind])[:8] in out.export_text()
    session.store.close()


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_has_a_panel(kind, tmp_path):
    from diffcourse.quiz.faces.card import Card

    (tmp_path / 'good.yaml').write_text(GOOD[kind])
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    card = Card(session, ID[kind])
    assert session.check(ID[kind], card.read()).state in (
        'invalid',
        'incorrect' if kind == 'code' else 'invalid',
    )  # untouched
    fields = [w for w in walk_widgets(card.input) if hasattr(w, 'value') and type(w).__name__ != 'HTML']
    assert fields and all(f.tooltip or f.description for f in fields)
    right = right_answer(session.question(ID[kind]), session.values) or 'Thoughts.'
    if kind in ('match', 'cloze'):
        [
            setattr(f, 'value', v if kind == 'match' or f.description == 'state' else str(v))
            for f, v in zip(fields, right.values(), strict=True)
        ]
    elif kind == 'order':
        [setattr(f, 'value', v) for f, v in zip(fields, right, strict=True)]
    elif kind == 'multiple':
        [
            setattr(f, 'value', id in right)
            for f, (id, _) in zip(fields, session.options(ID[kind]), strict=True)
        ]
    else:
        fields[0].value = (
            right
            if kind in ('single', 'image')
            else ', '.join(map(str, right))
            if isinstance(right, list)
            else str(right)
        )
    card.on_check()
    assert session.results[ID[kind]].state == ('review' if kind in UNSCORED else 'correct'), session.results[
        ID[kind]
    ]
    session.store.close()


def walk_widgets(widget):
    "A widget and all that is in it."
    yield widget
    for child in getattr(widget, 'children', ()):
        yield from walk_widgets(child)
