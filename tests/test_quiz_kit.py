"The page marks as Python does: the same vectors, the same records byte by byte, in node without a browser."

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import quiz_lab
from conftest import ROOT
from diffcourse.base.errors import CourseError
from diffcourse.quiz.core.grade import grade, right_answer
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.core.schema import QuizFile
from diffcourse.quiz.core.store import Store, read_events, write_events
from diffcourse.quiz.formats.kit import make_kit, page_json, write_kit
from diffcourse.quiz.ground.answers import Unreadable, normal, read_number, read_shape
from diffcourse.quiz.ground.values import Values, show
from diffcourse.quiz.kinds.base import option_order

DRIVER = """
const Q = require(process.argv[1]), jobs = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const tried = read => {
  try { return {value: read()} }
  catch (e) {
    if (!(e instanceof Q.Unreadable)) throw e
    return {invalid: e.message}
  }
}
const question = (kit, id) => kit.questions.find(q => q.id === id)
const event = (kit, [id, given]) => {
  const r = Q.grade(kit, question(kit, id), given)
  return Q.event(kit, r.question, 'answer', r, r.state, r.score)
}
const take = (source, n) => Array.from({length: n}, () => source.next().value)
const DO = {
  number: j => tried(() => Q.repr(Q.read_number(j.given, j.unit))),
  text: j => ({normal: Q.normal(j.given), ...tried(() => Q.read_text(j.given))}),
  read: j => tried(() => {
    const x = Q['read_' + j.reads](j.given, j.ids)
    return x instanceof Map ? Object.fromEntries(x) : x
  }),
  chance: j => ({
    hash32: Q.hash32(j.key),
    draws: take(Q.draws(j.key), 5),
    shuffled: Q.shuffled(j.key, [...'abcdefg']),
    two: Q.shuffled(j.key, [0, 1]),
    whole: [Q.whole_between(j.key, 0, 9), Q.whole_between(j.key, -50, 10**6)],
  }),
  show: j => { try { return Q.show(+j.x, j.spec) } catch { return null } },
  order: j => j.kit.questions.map(q => Q.shown_order(j.kit, q).map(o => o.id)),
  grade: j => Q.record_json(Q.grade(j.kit, question(j.kit, j.question), j.given)),
  solutions: j => j.kit.questions.map(q => q.live ? '' : Q.solution(j.kit, q)),
  events: j => {
    const first = j.given[0][0], e = j.given.map(g => event(j.kit, g))
    e.push(Q.event(j.kit, first, 'hint', {n: 0}), Q.event(j.kit, first, 'self', {rating: 2}))
    const lines = e.map(Q.event_line)
    const all = Q.read_lines([...lines, ...lines, '{"half'].join('\\n'))
    return {lines, again: all.length, progress: Q.progress_text(Q.progress(j.kit, all))}
  },
  open: j => Q.open_kit(j.text)}
process.stdout.write(JSON.stringify(jobs.map(j => DO[j.do](j))))
"""


def vectors(name):
    return json.loads((ROOT / f'tests/vectors/{name}.json').read_text('utf-8'))


@pytest.fixture(scope='module')
def js():
    "Runs jobs through the page's script. Without node these tests are left out, except in CI."
    if not (node := shutil.which('node')):
        (pytest.fail if os.environ.get('CI') else pytest.skip)('no node found (apt-get install nodejs)')

    def run(jobs):
        r = subprocess.run(
            [node, '-e', DRIVER, str(ROOT / 'diffcourse/quiz/formats/quiz.js')],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            encoding='utf-8',
            timeout=120,
        )
        assert r.returncode == 0, r.stderr[-2000:]
        return json.loads(r.stdout)

    return run


@pytest.fixture(scope='module')
def everything(tmp_path_factory):
    "The questionnaire of the laboratory with all kinds, and where it lies."
    path = tmp_path_factory.mktemp('kit') / 'good.yaml'
    path.write_text(quiz_lab.EVERYTHING, 'utf-8')
    return read_quiz(path)[0], path


def plain(kit):
    return json.loads(json.dumps(kit))


def test_numbers(js):
    cases = vectors('numbers')
    for case, got in zip(cases, js([{'do': 'number', **c} for c in cases]), strict=True):
        assert got == (
            {'invalid': case['invalid']} if 'invalid' in case else {'value': repr(case['value'])}
        ), case


def test_texts(js):
    cases = vectors('texts')
    for case, got in zip(cases, js([{'do': 'text', **c} for c in cases]), strict=True):
        assert (
            got['normal'] == case['normal']
            and got.get('value') == case.get('value')
            and ('invalid' in got) == ('invalid' in case)
        ), case


def test_answers(js):
    cases = vectors('answers')
    jobs = [{'do': 'read', **c, 'ids': c.get('ids', ['a', 'b'])} for c in cases]
    for case, got in zip(cases, js(jobs), strict=True):
        assert got == {k: case[k] for k in ('value', 'invalid') if k in case}, case


def test_chance(js):
    cases = vectors('chance')
    for case, got in zip(cases, js([{'do': 'chance', **c} for c in cases]), strict=True):
        assert got | {'key': case['key']} == case


def test_marks(js):
    data = vectors('marks')
    quiz = QuizFile.model_validate_json(json.dumps(data['quiz']), strict=True)
    kits = [plain(make_kit(quiz, Values(quiz, v))) for v in range(2)]
    jobs = [
        {'do': 'grade', 'kit': kits[c['variant']], 'question': c['result']['question'], 'given': c['given']}
        for c in data['cases']
    ]
    for case, got in zip(data['cases'], js(jobs), strict=True):
        assert got == json.dumps(case['result'], ensure_ascii=False), case['given']


EXTRA = {
    'share': [0.25, '1/4', '0.251 dB', 'x', None, '', '1e-3', '−0.5', '12345678.9', '1e22', '0.000012345'],
    'effect': ['up', 'down', None, 'UP'],
    'which': [['a', 'c'], ['b'], ['a'], [], list('abcd')],
    'latents': ['1, 4, 16, 8', [4, 16, 8], '7', '()', 'x', [1, 4, 8, 16], [1, 3, 64, 64]],
    'named': ['Variance', 'an SD', 'Sigma', '', None, '  the  variance '],
    'gaps': [
        [0.25, 'mixed', 'var'],
        [0.5, 'clean', 'sigma'],
        ['1/3', 'mixed', 'x'],
        ['', '', ''],
        {'share': '0.26'},
    ],
    'pairs': [['a', 'c'], {'top': 'a', 'low': 'b'}, ['b', 'a'], ['x', 'y'], 'top=a; low=b'],
    'sorted': ['a c b', 'c a b', list('bca'), 'a b'],
    'picture': ['all', 'some', 'none', ''],
    'guess': [0.22, '0.5', 'much'],
    'think': ['It works.', ''],
}


def test_records_of_measured_questions(js, everything):
    quiz, _ = everything
    jobs, want = [], []
    for v in range(quiz.variants):
        values = Values(quiz, v, registry=quiz_lab.lab)
        kit = plain(make_kit(quiz, values))
        for q in quiz.questions:
            if q.kind in ('challenge', 'code', 'free'):
                continue
            for given in [right_answer(q, values), *EXTRA[q.id]]:
                jobs.append({'do': 'grade', 'kit': kit, 'question': q.id, 'given': given})
                want.append(json.dumps(grade(q, given, values).to_json(), ensure_ascii=False))
    assert len(want) > 100
    assert {json.loads(w)['state'] for w in want} == {
        'correct',
        'partial',
        'incorrect',
        'invalid',
        'review',
    }
    for got, expected in zip(js(jobs), want, strict=True):
        assert got == expected


def test_what_the_page_can_not_mark(js, everything):
    quiz, _ = everything
    kit = plain(make_kit(quiz, Values(quiz, registry=quiz_lab.lab)))
    got = [
        json.loads(r)
        for r in js(
            [{'do': 'grade', 'kit': kit, 'question': n, 'given': 'noise'} for n in ('find', 'half', 'why')]
        )
    ]
    assert [r['state'] for r in got] == ['ungraded', 'ungraded', 'review']
    assert all(r['score'] is None for r in got)
    assert 'diffcourse quiz take good' in got[0]['feedback']
    assert next(q for q in kit['questions'] if q['id'] == 'why')['right'] == 'From noise in small steps.'


def test_numbers_are_shown_as_in_python(js):
    rng = random.Random(7)
    xs = [
        0.0,
        -0.0,
        0.5,
        1.5,
        2.5,
        0.125,
        0.375,
        1e16,
        1e-5,
        123456789.0,
        0.1,
        1 / 3,
        5e-324,
        1.7976931348623157e308,
        999999.5,
        9.9995,
        100.0,
        1e22,
    ] + [rng.choice([-1, 1]) * rng.random() * 10 ** rng.randint(-12, 18) for _ in range(300)]
    specs = [
        '',
        '.2f',
        '.0f',
        '.3f',
        'e',
        '.2e',
        '.4g',
        'g',
        '.3',
        '+.1f',
        ',.1f',
        '8.2f',
        '08.2f',
        '.1%',
        '.0%',
        ' .2f',
        '+',
        '.10f',
        'G',
        '.1E',
        'd',
    ]
    jobs = [(x, rng.choice(specs)) for x in xs for _ in range(4)]
    for (x, spec), got in zip(
        jobs, js([{'do': 'show', 'x': repr(x), 'spec': s} for x, s in jobs]), strict=True
    ):
        try:
            want = show(x, spec)
        except Exception:
            want = None
        assert got == want, (x, spec)


def test_numbers_that_nobody_thought_of(js):
    rng, letters = random.Random(3), '0123456789.-+eE/%, ×^10 x*'
    texts = [''.join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(1500)] + [
        f'{rng.randint(1, 10**9)}.{rng.randint(0, 10**9)}/{rng.randint(1, 10**12)}' for _ in range(200)
    ]

    def python(t):
        try:
            return {'value': repr(read_number(t))}
        except Unreadable as e:
            return {'invalid': str(e)}

    for t, got in zip(texts, js([{'do': 'number', 'given': t} for t in texts]), strict=True):
        assert got == python(t), t


def test_texts_and_shapes_that_nobody_thought_of(js):
    rng, letters = random.Random(5), 'aAthen 1,2×x()[]\u00a0\u2003\x85\x1c-_–“”.ÉßİΣςﬁ½é\u200b\ufeff\n\t;:='
    texts = [''.join(rng.choices(letters, k=rng.randint(1, 12))) for _ in range(1500)]

    def shape(t):
        try:
            return {'value': list(read_shape(t))}
        except Unreadable as e:
            return {'invalid': str(e)}

    got = js(
        [{'do': 'text', 'given': t} for t in texts]
        + [{'do': 'read', 'reads': 'shape', 'given': t} for t in texts]
    )
    for t, words, lengths in zip(texts, got, got[len(texts) :]):
        assert (words['normal'], lengths) == (normal(t), shape(t)), repr(t)


def test_options_stand_in_the_same_order(js, everything):
    quiz, _ = everything
    for v in range(quiz.variants):
        kit = plain(make_kit(quiz, Values(quiz, v, registry=quiz_lab.lab)))
        assert js([{'do': 'order', 'kit': kit}])[0] == [
            [o.id for o in option_order(q, quiz.id, v)] for q in quiz.questions
        ]


def test_solutions(js, everything):
    quiz, _ = everything
    said = dict(
        zip(
            [q.id for q in quiz.questions],
            js([{'do': 'solutions', 'kit': plain(make_kit(quiz, Values(quiz, registry=quiz_lab.lab)))}])[0],
        )
    )
    assert said['share'] == '0.25 dB (accepted: 0.2475 to 0.2525)'
    assert said['latents'] == '(1, 4, 16, 8)'
    assert said['which'] == 'It is mixed; It rises'
    assert said['sorted'] == 'first; third; second'
    assert said['gaps'].startswith('share: 0.25; state: mixed')
    assert said['pairs'] == 'the largest: first; the smallest: second'
    assert said['picture'] == 'A red square'


def test_events_of_the_page_enter_the_store(js, everything, tmp_path):
    quiz, _ = everything
    kit = plain(make_kit(quiz, Values(quiz, registry=quiz_lab.lab)))
    (made,) = js(
        [
            {
                'do': 'events',
                'kit': kit,
                'given': [
                    ['share', '0.25'],
                    ['which', ['a']],
                    ['gaps', ['1/4', 'mixed', 'x']],
                    ['share', 'no number'],
                    ['think', 'So.'],
                ],
            }
        ]
    )
    assert made['again'] == len(made['lines']) == 7
    assert made['progress'].startswith('1 of 10 right, 2.16667 of 10')
    file, store = tmp_path / 'page.jsonl', Store(':memory:')
    file.write_text('\n'.join(made['lines']) + '\n', 'utf-8')
    assert read_events(store, file) == (7, 0) and read_events(store, file) == (0, 7)
    assert store.best('good') == {'share': 1, 'which': 0.5, 'gaps': 2 / 3}
    write_events(store, tmp_path / 'python.jsonl')
    assert sorted((tmp_path / 'python.jsonl').read_text('utf-8').splitlines()) == sorted(made['lines'])


def test_kit_says_where_its_values_come_from(js, everything, tmp_path):
    quiz, path = everything
    kit = make_kit(quiz, Values(quiz, registry=quiz_lab.lab), '2026-02-03')
    assert kit['when'] == '2026-02-03'
    assert kit['runs']['mix']['probe'] == 'mixing'
    assert kit['runs']['mix']['arguments']['noise'] == 0.5
    assert 'diffcourse' in kit['runs']['mix']['versions']
    share = next(q for q in kit['questions'] if q['id'] == 'share')
    assert share['claims'][0]['source'] == kit['runs']['mix']['source']
    assert [e['form'] for e in share['evidence']] == ['strip', 'table']
    assert len(kit['pictures']) == 3 and all(p.startswith('data:image/png;base64,') for p in kit['pictures'])
    assert (
        write_kit(path, tmp_path / 'good.json', registry=quiz_lab.lab)
        == (tmp_path / 'good.json').stat().st_size
    )
    assert js([{'do': 'open', 'text': page_json(kit)}])[0] == plain(kit)
    for secret in ('Square it.', 'Variances are squares.', 'not-squared'):
        assert secret not in page_json(kit)


def test_no_kit_without_a_measurement(everything, monkeypatch):
    quiz, _ = everything

    def cannot(*args, **kw):
        raise CourseError('the model is not there')

    monkeypatch.setattr('diffcourse.quiz.ground.values.run_probe', cannot)
    with pytest.raises(CourseError, match='no kit of good: question share: .*the model is not there'):
        make_kit(quiz, Values(quiz, registry=quiz_lab.lab))


def test_scripts_reach_the_wheel():
    import fnmatch

    try:
        import tomllib
    except ModuleNotFoundError:
        import tomli as tomllib  # Python 3.10
    wanted = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['setuptools']['package-data'][
        'diffcourse.quiz.formats'
    ]
    for name in ('quiz.js', 'quiz.page.js', 'quiz.page.css'):
        assert Path(ROOT / 'diffcourse/quiz/formats' / name).is_file()
        assert any(fnmatch.fnmatch(name, w) for w in wanted)
