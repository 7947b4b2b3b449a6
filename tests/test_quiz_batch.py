"Marking a class: one crash costs one submission, runs go on where they stopped, files are safe to open."

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from diffcourse.base.errors import BadInput, CourseError
from diffcourse.quiz.classroom import batch
from diffcourse.quiz.classroom.batch import grade_batch
from diffcourse.quiz.classroom.notebooks import notebook_answers
from diffcourse.quiz.classroom.submissions import read_submissions
from diffcourse.quiz.classroom.worker import mark_answers

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='workers fork')

LAB = """
import ctypes, os, signal, time
from typing import Annotated
from pydantic import Field
from diffcourse.quiz.probe.outcome import Outcome
from diffcourse.quiz.probe.registry import probe

class Squared(Outcome):
    "A square."
    square:int

@probe('crash_lab')
def crash_lab(n:Annotated[int, Field(ge=0, le=100000)])->Squared:
    "The square of a number; some numbers are fatal."
    if n == 10001: os.kill(os.getpid(), signal.SIGSEGV)
    if n == 10002: os._exit(0)
    if n == 10003: os._exit(7)
    if n == 10004: os.kill(os.getpid(), signal.SIGKILL)
    if n == 10005: os.abort()
    if n == 10006: time.sleep(1000)
    if n == 10007: raise MemoryError
    if n == 10008: print('{"results": []}', flush=True)
    return Squared(square=n*n)
"""
QUIZ = """schema: diffcourse.quiz/1
id: lab
title: Lab
questions:
  - {id: big, kind: challenge, prompt: Find a square above 100., probe: {use: crash_lab}, input: n,
      goals: [{field: square, at_least: 100, say: It is big.}], answer: 11}
  - {id: sum, kind: numeric, prompt: 1 + 1?, answer: 2}
  - {id: way, kind: single, prompt: Up?, answer: up,
      options: [{id: up, text: Up}, {id: down, text: Down, feedback: No., tag: flipped}]}
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    "A questionnaire whose probe crashes for some answers, and a folder for submissions."
    for n in ('quizzes', 'in', 'home', 'lib'):
        (tmp_path / n).mkdir()
    (tmp_path / 'quizzes' / 'lab.yaml').write_text(QUIZ)
    (tmp_path / 'lib' / 'crash_lab_plugin.py').write_text(LAB)
    for k, v in dict(DIFFCOURSE_QUIZZES='quizzes', DIFFCOURSE_HOME='home').items():
        monkeypatch.setenv(k, str(tmp_path / v))
    monkeypatch.syspath_prepend(str(tmp_path / 'lib'))
    return tmp_path


def mark(lab, **more):
    return grade_batch([lab / 'in'], lab / 'out', imports=['crash_lab_plugin'], **more)


def give(lab, **files):
    for name, n in files.items():
        (lab / 'in' / f'{name}.json').write_text(
            json.dumps(
                dict(
                    quiz='lab',
                    learner=name,
                    answers=dict(big=n, sum=2, way='up' if n % 2 else 'down'),
                    seconds=dict(sum=n % 7),
                )
            )
        )


def states(marks):
    return {m['learner'] or Path(m['file']).name: [r['state'] for r in m['results']] for m in marks}


@pytest.mark.slow
def test_five_hundred_with_five_crashes(lab):
    lines = [
        dict(
            quiz='lab',
            learner=f'l{n}',
            answers=dict(
                big=10001 + n // 100 if n % 100 == 50 else n % 23,
                sum=2 if n % 3 else 3,
                way='up' if n % 2 else 'down',
            ),
        )
        for n in range(500)
    ]
    (lab / 'in' / 'class.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    marks = mark(lab, workers=2)
    bad = [m for m in marks if not m['results']]
    assert [m['learner'] for m in marks] == [x['learner'] for x in lines]
    assert [m['learner'] for m in bad] == [
        'l50',
        'l150',
        'l250',
        'l350',
        'l450',
    ]
    assert [
        'SIGSEGV' in bad[0]['problem'],
        bool(bad[1]['problem']),
        'status 7' in bad[2]['problem'],
        'SIGKILL' in bad[3]['problem'],
        'SIGABRT' in bad[4]['problem'],
    ] == [True] * 5
    for n, m in enumerate(marks):
        if m['results']:
            assert [r['state'] for r in m['results']] == [
                'correct' if n % 23 >= 10 else 'incorrect',
                'correct' if n % 3 else 'incorrect',
                'correct' if n % 2 else 'incorrect',
            ]
    rows = list(csv.DictReader((lab / 'out' / 'grades.csv').open()))
    assert len(rows) == 500 and sum(r['problem'] != '' for r in rows) == 5
    stats = {i['question']: i for i in json.loads((lab / 'out' / 'items.json').read_text())}
    assert stats['way']['n'] == 495
    assert stats['way']['chosen'] == {'up': 250, 'down': 245}
    assert stats['way']['tags'] == {'flipped': 245}
    assert stats['sum']['facility'] == pytest.approx(2 / 3, abs=0.01)
    suites = ElementTree.parse(lab / 'out' / 'junit.xml').getroot()
    assert len(suites) == 500 and sum(s.get('errors') == '1' for s in suites) == 5


@pytest.mark.slow
def test_others_and_hangs(lab):
    "A hang is ended, what a probe prints is no result, an exception is a fault of ours."
    give(lab, a=11, hang=10006, memory=10007, prints=10008)
    got = states(marks := mark(lab, timeout=5))
    assert got == {
        'a': ['correct'] * 3,
        'hang': [],
        'memory': ['fault', 'correct', 'correct'],
        'prints': ['correct', 'correct', 'incorrect'],
    }
    assert 'more than 5 s' in next(m['problem'] for m in marks if m['learner'] == 'hang')


@pytest.mark.slow
def test_goes_on(lab):
    give(lab, a=11, b=3, c=10001)
    seen = []
    first = mark(lab, progress=lambda n, of: seen.append(of))
    assert seen == [3] * 3
    give(lab, d=12)
    seen.clear()
    second = mark(lab, progress=lambda n, of: seen.append(of))
    assert seen == [2] * 2 and second[:3] == first  # the new one, and the crash again
    give(lab, b=11)
    seen.clear()
    # another answer
    assert states(mark(lab, progress=lambda n, of: seen.append(of)))['b'][0] == 'correct'
    assert len(seen) == 2
    (lab / 'quizzes' / 'lab.yaml').write_text(QUIZ.replace('answer: 2}', 'answer: 3}'))
    seen.clear()
    # another questionnaire
    assert states(mark(lab, progress=lambda n, of: seen.append(of)))['a'] == [
        'correct',
        'incorrect',
        'correct',
    ]
    assert len(seen) == 4


@pytest.mark.slow
def test_killed_run_goes_on(lab):
    "`kill -9` of the whole run: what was written is whole, and isn't marked again."
    (lab / 'in' / 'class.jsonl').write_text(
        '\n'.join(json.dumps(dict(quiz='lab', learner=f'l{n}', answers=dict(big=n))) for n in range(400))
    )
    run = subprocess.Popen(
        [
            sys.executable,
            '-c',
            (
                'from diffcourse.quiz.classroom.batch import grade_batch; '
                f'grade_batch([{str(lab / "in")!r}], {str(lab / "out")!r}, imports=["crash_lab_plugin"])'
            ),
        ],
        env=os.environ | {'PYTHONPATH': os.pathsep.join(sys.path)},
        start_new_session=True,
    )
    log = lab / 'out' / 'results.jsonl'
    until = time.time() + 100
    while time.time() < until and (not log.exists() or log.stat().st_size < 3000):
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    with log.open('ab') as f:
        f.write(b'{"file": "half a li')
    seen = []
    marks = mark(lab, progress=lambda n, of: seen.append(of))
    assert 0 < len(seen) < 400 and len(marks) == 400 and all(len(m['results']) == 3 for m in marks)
    assert len(log.read_text().splitlines()) == 1200
    assert len({(x['file'], x['question']) for x in map(json.loads, log.read_text().splitlines())}) == 1200


def test_same_as_without_batch(lab):
    "The results are those of marking in this process, byte for byte."
    give(lab, a=11, b=3)
    import crash_lab_plugin  # noqa: F401

    for m in mark(lab):
        assert m['results'] == json.loads(
            json.dumps(mark_answers('lab', 0, json.loads(Path(m['file']).read_text())['answers']))
        )


@pytest.mark.slow
def test_dask(lab):
    "A cluster of two workers takes over with one argument."
    distributed = pytest.importorskip('distributed', reason='dask.distributed is not installed')
    import joblib

    give(lab, **{f'l{n}': n for n in range(12)}, bad=10001)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=None
        ) as cluster,
        distributed.Client(cluster),
    ):
        with joblib.parallel_config(backend='dask'):
            marks = mark(lab, workers=2)
    assert [m['learner'] for m in marks if m['problem']] == ['bad']
    assert all(len(m['results']) == 3 for m in marks if m['learner'] != 'bad')
    assert len(marks) == 13


@pytest.mark.parametrize(
    'text',
    [
        '',
        '[]',
        '{',
        'quiz: lab',
        '{quiz: lab, answers: {nothing: 1}}',
        '{quiz: nowhere, answers: {}}',
        '{quiz: lab, answers: {}, variant: -1}',
        '{quiz: lab, answers: {}, mark: 1}',
        '{quiz: lab, answers: {}, seconds: {sum: -1}}',
        '\x00',
        'a: &x [*x]',
        '{quiz: ../../etc/passwd, answers: {}}',
        '{quiz: [lab], answers: {}}',
    ],
)
def test_unreadable_submissions_cost_only_themselves(lab, text):
    (lab / 'in' / 'bad.yaml').write_text(text)
    (lab / 'in' / 'bad.jsonl').write_text(text.replace('\n', ' ') or '{')
    (lab / 'in' / 'bad.ipynb').write_text(text)
    give(lab, good=11)
    found = read_submissions([lab / 'in'])
    assert [bool(s.problem) for s in found] == [True, True, True, False]
    assert all('\n' not in s.problem and len(s.problem) < 600 for s in found)


def test_paths_that_are_not_there(lab):
    with pytest.raises(BadInput, match='nowhere'):
        read_submissions([lab / 'nowhere'])


def test_files_are_safe_to_open(lab):
    "No formula, no markup, no control character of a learner gets through."
    evil = '=HYPERLINK("http://x")<script>alert(1)</script>\x07'
    for n, name in enumerate((evil, '@SUM(1)', '+1', '-1', '\t=1', '＝1')):
        (lab / 'in' / f'{n}.json').write_text(
            json.dumps(dict(quiz='lab', learner=name, answers=dict(sum=name, way='up', big=evil)))
        )
    mark(lab)
    for row in csv.reader((lab / 'out' / 'grades.csv').open()):
        for cell in row:
            assert cell[:1] not in tuple('=@+-\t\r＝') or cell.replace('.', '').replace('-', '').isdigit()
    page = (lab / 'out' / 'report.html').read_text()
    ElementTree.parse(lab / 'out' / 'junit.xml')
    assert '<script' not in page
    assert 'src=' not in page
    assert 'href=' not in page
    assert '<html lang="en">' in page
    assert page.count('<caption>') == page.count('<table') > 3
    assert 'scope="row"' in page


CODE = """schema: diffcourse.quiz/1
id: code
title: Code
questions:
  - id: mix
    kind: code
    prompt: Write it.
    spec: {function: mix, library: diffcourse.maths.guidance.cfg,
        inputs: [{name: uncond, draw: floats}, {name: cond, draw: floats},
        {name: scale, draw: floats, low: 2, high: 9}], time_limit_s: 2}
    answer: "def mix(uncond, cond, scale): return uncond + scale*(cond-uncond)"
"""


def test_code_needs_bubblewrap_or_trust(lab, monkeypatch):
    (lab / 'quizzes' / 'code.yaml').write_text(CODE)
    victim = lab / 'in' / 'honest.json'
    good = 'def mix(uncond, cond, scale): return uncond + scale*(cond-uncond)'
    attacks = dict(
        honest=good,
        deletes=f'import os\ndef mix(*a):\n    os.remove({str(victim)!r})',
        kills='import os\ndef mix(*a):\n    os.kill(os.getppid(), 9)',
        exits='import os\ndef mix(*a):\n    os._exit(0)',
        forks='import os\ndef mix(*a):\n    while True: os.fork()',
    )
    for name, source in attacks.items():
        (lab / 'in' / f'{name}.json').write_text(
            json.dumps(dict(quiz='code', learner=name, answers=dict(mix=source)))
        )
    (lab / 'in' / 'blank.json').write_text('{"quiz": "code", "learner": "blank", "answers": {}}')
    monkeypatch.setattr(batch, 'has_bwrap', lambda: False)
    with pytest.raises(CourseError, match='--trust'):
        mark(lab)
    assert not (lab / 'out' / 'grades.csv').exists()
    assert states(mark(lab, trust=True)) == {
        n: ['correct' if n == 'honest' else 'invalid' if n == 'blank' else 'incorrect']
        for n in (*attacks, 'blank')
    }
    assert victim.exists()


def test_blank_code_needs_no_bubblewrap(lab, monkeypatch):
    (lab / 'quizzes' / 'code.yaml').write_text(CODE)
    (lab / 'in' / 'blank.json').write_text('{"quiz": "code", "answers": {}}')
    monkeypatch.setattr(batch, 'has_bwrap', lambda: False)
    assert states(mark(lab)) == {'blank.json': ['invalid']}


def test_notebook_with_widgets(lab, tmp_path):
    "The panel's own widgets, as a notebook saves them."
    W = pytest.importorskip('ipywidgets')
    from diffcourse.quiz.faces.card import Card
    from diffcourse.quiz.core.session import Session
    from diffcourse.quiz.core.store import Store

    sys.path.insert(0, str(lab / 'lib'))
    import crash_lab_plugin  # noqa: F401

    session = Session('lab', store=Store(':memory:'))
    cards = {id: Card(session, id) for id in ('sum', 'way')}
    cards['sum'].input.value = '2'
    cards['way'].input.value = 'down'
    manager = W.Widget.get_manager_state() if hasattr(W.Widget, 'get_manager_state') else None
    from ipywidgets.embed import dependency_state

    state = dependency_state([c.box for c in cards.values()])
    assert manager is None or state
    (tmp_path / 'nb.ipynb').write_text(
        json.dumps(
            dict(
                cells=[],
                metadata=dict(widgets={'application/vnd.jupyter.widget-state+json': dict(state=state)}),
                nbformat=4,
                nbformat_minor=5,
            )
        )
    )
    assert notebook_answers(tmp_path / 'nb.ipynb') == [
        dict(quiz='lab', variant=0, learner='', answers={'sum': '2', 'way': 'down'})
    ]


def test_notebook_code_is_read_and_never_run(tmp_path):
    cells = [
        "quiz = Quiz('lab', 1)",
        (
            "open('/tmp/never', 'w')\n"
            "quiz.check('sum', [1, 2])\n"
            "quiz.check('big', f())\n"
            "other.check('way', 'up')"
        ),
        "for i in range(3): quiz.check('way', 'up')",
        'def (',
        '!rm x\nquiz.check("sum", 1/2)',
    ]
    (tmp_path / 'nb.ipynb').write_text(
        json.dumps(dict(cells=[dict(cell_type='code', source=c) for c in cells], metadata={}))
    )
    assert notebook_answers(tmp_path / 'nb.ipynb') == [
        dict(quiz='lab', variant=1, learner='', answers={'sum': [1, 2], 'way': 'up'})
    ]
