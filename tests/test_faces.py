"""One answer, one mark: the panel, a saved notebook, a call, the terminal and an answer file give the same
record, byte for byte. And the terminal as a person meets it."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

import pytest
from ipywidgets.embed import dependency_state

from diffcourse.quiz.classroom.notebooks import notebook_answers
from diffcourse.quiz.classroom.submissions import read_submissions
from diffcourse.quiz.core.grade import grade
from diffcourse.quiz.core.session import Session
from diffcourse.quiz.core.store import Store
from diffcourse.quiz.faces.card import Card
from diffcourse.quiz.faces.panel import Quiz
from diffcourse.quiz.faces.terminal import take
from conftest import hear_ctrl_c
from quiz_lab import GOOD, lab, stand_in

# ---- the same record everywhere: kind → (answers as data, and as typed by someone who sees `n`: id → number)

CODE = 'def half(x): return x/2'
GIVEN = {
    'single': [('up', lambda n: n['up']), ('down', lambda n: n['down'])],
    'multiple': [(['a', 'c'], lambda n: f'{n["c"]} {n["a"]}'), (['a', 'b'], lambda n: f'{n["a"]}, {n["b"]}')],
    'numeric': [('25 %', lambda n: '25 %'), ('1/2', lambda n: '1/2')],
    'shape': [('1, 4, 16, 8', lambda n: '1, 4, 16, 8'), ('4, 16, 8', lambda n: '4, 16, 8')],
    'short': [('The Variance', lambda n: 'The Variance'), ('sigma', lambda n: 'sigma')],
    'cloze': [
        (dict(share='0.25', state='mixed', word='var'), lambda n: '0.25; mixed; var'),
        (dict(share='0.5', state='clean', word='var'), lambda n: 'share=0.5; state=clean; word=var'),
    ],
    'match': [
        (dict(top='a', low='b'), lambda n: f'{n["a"]} {n["b"]}'),
        (dict(top='a', low='c'), lambda n: f'{n["a"]}, {n["c"]}'),
    ],
    'order': [
        (['a', 'c', 'b'], lambda n: f'{n["a"]}, {n["c"]}, {n["b"]}'),
        (['c', 'a', 'b'], lambda n: f'{n["c"]} {n["a"]} {n["b"]}'),
    ],
    'image': [('all', lambda n: n['all']), ('some', lambda n: n['some'])],
    'predict': [('0.25', lambda n: '0.25'), ('0.5', lambda n: '0.5')],
    'challenge': [('0.6', lambda n: '0.6'), ('0.1', lambda n: '0.1')],
    'code': [(CODE, None), ('def half(x): return x', None)],
    'free': [
        (
            'It begins with noise and goes in small steps.',
            lambda n: 'It begins with noise and goes in small steps.',
        ),
        ('It is noise.', lambda n: 'It is noise.'),
    ],
    'reflect': [('The noise.', lambda n: 'The noise.'), ('All of it.', lambda n: 'All of it.')],
}


@pytest.fixture
def faces(tmp_path, monkeypatch):
    "Sessions on one questionnaire of one kind, each with a store of its own."
    stand_in(monkeypatch)
    monkeypatch.setenv('DIFFCOURSE_QUIZZES', str(tmp_path))
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path / 'home'))
    opened = []

    def faces(kind, make=Session):
        (tmp_path / 'good.yaml').write_text(GOOD[kind], encoding='utf-8')
        opened.append(make('good', store=Store(':memory:'), registry=lab))
        return opened[-1]

    yield faces
    for s in opened:
        s.store.close()


def bytes_of(result):
    return json.dumps(result if isinstance(result, dict) else result.to_json(), ensure_ascii=False).encode()


@pytest.mark.parametrize('right', [True, False], ids=['right', 'wrong'])
@pytest.mark.parametrize('kind', GIVEN)
def test_faces_agree(kind, right, faces, tmp_path):
    given, typed = GIVEN[kind][not right]
    called = faces(kind)
    id = called.questions[0]
    expected = bytes_of(called.check(id, given))
    assert json.loads(expected)['state'] in (
        'review',
        'correct' if right else 'incorrect',
        *([] if right else ['partial']),
    )

    clicked = faces(kind, Quiz)
    clicked.widget()
    card = clicked.cards[0]
    card.write(given)
    card.check.click()
    assert bytes_of(clicked.results[id]) == expected
    assert bytes_of(clicked.store.events('good', id)[-1]['data']) == expected  # what is kept is what was said

    widgets = {
        'application/vnd.jupyter.widget-state+json': {'state': dependency_state([card.box])}
    }  # as a notebook is saved
    (tmp_path / 'mine.ipynb').write_text(json.dumps(dict(cells=[], metadata=dict(widgets=widgets))))
    [saved] = notebook_answers(tmp_path / 'mine.ipynb')
    assert bytes_of(faces(kind).check(id, saved['answers'][id])) == expected

    asked = faces(kind)
    number = {i: str(k) for k, (i, _) in enumerate(asked.options(id), 1)}
    (tmp_path / 'half.py').write_text(str(given))
    lines = iter([typed(number) if typed else str(tmp_path / 'half.py'), 'q', 'q'])
    take('good', session=asked, read=lambda: next(lines))
    assert bytes_of(asked.results[id]) == expected

    (tmp_path / 'mine.json').write_text(json.dumps({'quiz': 'good', 'answers': {id: given}}))
    (handed_in,) = read_submissions([tmp_path / 'mine.json'])
    session = faces(kind)
    result = grade(session.question(id), handed_in.answers[id], session.values)
    assert not handed_in.problem and bytes_of(result.to_json()) == expected


def test_every_card_takes_its_answer_back(faces):
    "What was answered stands there the next time, and reads the same."
    for kind, answers in GIVEN.items():
        first = faces(kind)
        id = first.questions[0]
        first.check(id, answers[0][0])
        card = Card(first, id)
        card.restore()
        before = bytes_of(first.results[id])
        assert bytes_of(first.check(id, card.read())).replace(
            'Your prediction, 0.25, was locked in.'.encode(), b''
        ).replace(b'"feedback": ""', b'') == before.replace(b'"feedback": ""', b''), kind


# ---- the terminal, with a real one in between

QUIZ = """schema: diffcourse.quiz/1
id: sums
title: Sums
questions:
  - {id: one, kind: numeric, prompt: 1 + 1?, answer: 2, hints: [Count on.], explain: It is two.}
  - {id: two, kind: numeric, prompt: 2 + 1?, answer: 3}
  - {id: three, kind: single, shuffle: false, prompt: Which is more?,
      options: [{id: a, text: two, correct: false, feedback: No.}, {id: b, text: three, correct: true}]}
"""


COLOUR = '\x1b[3'  # the beginning of every code that sets one


class Terminal:
    "`diffcourse quiz take` in a pseudo terminal."

    def __init__(self, *args, **env):
        self.master, other = pty.openpty()
        command = [
            sys.executable,
            '-c',
            'import sys; from diffcourse.commands.cli import main; sys.exit(main())',
            'quiz',
            'take',
            *map(str, args),
        ]
        self.process = subprocess.Popen(
            command,
            stdin=other,
            stdout=other,
            stderr=other,
            env={**os.environ, 'TERM': 'xterm-256color', 'COLUMNS': '100', **env},
            start_new_session=True,
            preexec_fn=self.enter,
        )
        os.close(other)
        self.text = ''

    @staticmethod
    def enter():
        "In the child, before its program: the pseudo terminal is its own, and Ctrl-C is heard."
        hear_ctrl_c()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def until(self, words, seconds=60):
        "Read until these words are there."
        end = time.time() + seconds
        while words not in self.text and time.time() < end:
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                part = os.read(self.master, 65536)
            except OSError:
                break
            if not part:
                break
            self.text += part.decode(errors='replace')
        assert words in self.text, self.text
        seen, _, self.text = self.text.partition(words)
        return seen + words

    def type(self, text):
        os.write(self.master, text.encode())

    def ctrl_c(self):
        """The key, which the terminal turns into a signal. A moment after the prompt: between prompt and
        reading, readline keeps the signal until the next key."""
        time.sleep(1)
        self.type('\x03')

    def end(self):
        "The rest of what it says, and its status."
        while select.select([self.master], [], [], 20)[0]:
            try:
                part = os.read(self.master, 65536)
            except OSError:
                break
            if not part:
                break
            self.text += part.decode(errors='replace')
        os.close(self.master)
        return self.text, self.process.wait(20)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def terminal(tmp_path, monkeypatch):
    (tmp_path / 'sums.yaml').write_text(QUIZ)
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path / 'home'))
    monkeypatch.delenv('NO_COLOR', raising=False)
    started = []

    def terminal(*args, **env):
        started.append(Terminal(tmp_path / 'sums.yaml', *args, **env))
        return started[-1]

    yield terminal
    for t in started:
        t.kill()


def test_ctrl_c_and_going_on(terminal):
    t = terminal()
    t.until('1 + 1?')
    t.until('> ')
    t.type('h\n')
    t.until('Count on.')
    t.until('> ')
    t.type('2\n')
    assert COLOUR in t.until('It is two.')
    t.until('2 + 1?')
    t.until('> ')
    t.ctrl_c()
    text, status = t.end()
    said = [s for s in text.replace('\x1b[0m', '').replace('^C', '').splitlines() if s.strip()]
    assert status == 130 and len(said) == 1 and 'sums.yaml` goes on' in said[0] and 'Traceback' not in text, (
        text
    )
    t = terminal(NO_COLOR='1')
    seen = t.until('2 + 1?')
    assert 'Going on at question 2; 1 of 3 are answered.' in seen and '1 + 1?' not in seen
    t.until('> ')
    t.type('5\n')
    t.until('not correct')
    t.until('> ')
    t.type('\n')
    t.until('Which is more?')
    t.until('> ')
    t.type('2\n')
    seen += t.until('✓ correct')
    text, status = t.end()
    assert COLOUR not in seen + text  # as NO_COLOR asks
    assert status == 0
    assert 'Not right yet: 1; --retry asks again.' in text
    assert 'The next question is due in' in text
    t = terminal('--retry')
    seen = t.until('2 + 1?')
    assert 'To try again: 1.' in seen and '1 + 1?' not in seen
    t.until('> ')
    t.type('q\n')
    _, status = t.end()
    assert status == 0


def test_without_a_terminal(tmp_path, terminal):
    "Lines from a pipe; no codes at all in what it prints."
    r = subprocess.run(
        [
            sys.executable,
            '-c',
            'import sys; from diffcourse.commands.cli import main; sys.exit(main())',
            'quiz',
            'take',
            tmp_path / 'sums.yaml',
        ],
        input='2\n3\n',
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (
        r.returncode == 0
        and '\x1b' not in r.stdout
        and r.stdout.count('✓ correct') == 2
        and '1 without an answer' in r.stdout
    ), r


def test_leaving_leaves_all_that_is_due(tmp_path, monkeypatch):
    from diffcourse.quiz.faces.tables import take_due

    monkeypatch.setenv('DIFFCOURSE_QUIZZES', str(tmp_path))
    store = Store(':memory:')
    for name in ('sums', 'more'):
        (tmp_path / f'{name}.yaml').write_text(QUIZ.replace('id: sums', f'id: {name}'))
        store._write([(f'{name}-one', 1e9, name, 'one', 0, 'answer', 'correct', 1.0, '{}', None)])  # long ago
    lines = iter(['q'])
    take_due(store=store, read=lambda: next(lines))  # one line is enough

    def ctrl_c():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match='`diffcourse quiz take --due` goes on'):
        take_due(store=store, read=ctrl_c)
    assert len(store.events()) == 2
    store.close()
