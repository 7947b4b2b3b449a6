"The command line as a shell sees it: statuses, lines, speed. Every command in a process of its own."

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image

import diffcourse
from conftest import hear_ctrl_c
from diffcourse.commands.cli import main

COURSE = [sys.executable, '-c', 'import sys; from diffcourse.commands.cli import main; sys.exit(main())']
COMMANDS = [
    '',
    'draw',
    'quiz',
    'quiz list',
    'quiz take',
    'quiz new',
    'quiz progress',
    'quiz lint',
    'quiz grade',
    'quiz export',
    'quiz import',
    'quiz build',
    'quiz probe',
    'lab',
    'train',
    'train doodle',
    'bench',
    'bench scores',
    'doctor',
]
DOODLE = Path(diffcourse.__file__).parent / 'doodle' / 'model_index.json'


@pytest.fixture
def here(tmp_path, monkeypatch):
    "An empty folder to work in, and a home of its own beside it."
    env = dict(DIFFCOURSE_HOME=tmp_path / 'home', COLUMNS=120, NO_COLOR=1, OMP_NUM_THREADS=1)
    for name, value in env.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    return tmp_path / 'here'


def words(line, more):
    "The words of a command line, and more of them, such as paths."
    return [*shlex.split(line), *map(str, more)]


@pytest.fixture
def run(here, capfd):
    "Run a command line in this process: (status, stdout, stderr)."

    def run(line, *more):
        return (main(words(line, more)), *capfd.readouterr())

    return run


@pytest.fixture
def start(here):
    "Start a command in a process of its own."
    started = []

    def start(line, *more, **options):
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        started.append(subprocess.Popen([*COURSE, *words(line, more)], text=True, **pipes, **options))
        return started[-1]

    yield start
    for p in started:
        if p.poll() is None:
            p.kill()
        p.communicate()


def refused(result, status, *words):
    "Ended with `status`, nothing on stdout, one line on stderr that holds `words`."
    code, out, err = result
    assert (code, out, err.count('\n')) == (status, '', 1), result
    assert err.startswith('error: ') and all(str(w) in err for w in words), err


# help and version


@pytest.mark.parametrize('command', COMMANDS)
def test_help_has_an_example(run, command):
    code, out, err = run(command, '--help')
    assert (code, err) == (0, '') and f'Example: diffcourse {command}'.rstrip() in out


@pytest.mark.parametrize('command', ['', 'quiz', 'train', 'bench'])
def test_alone_shows_help(run, command):
    assert run(command) == run(command, '--help')


def test_version(run):
    assert run('--version') == (0, f'diffcourse {diffcourse.__version__}\n', '')


def test_help_loads_nothing_slow():
    slow = 'torch numpy PIL diffusers transformers pydantic nbdev fastcore matplotlib IPython ruamel'.split()
    code = f"""if True:
        import sys
        from diffcourse.commands.cli import main
        main(['draw', '--help'])
        sys.exit(' '.join(m for m in {slow} if m in sys.modules) or 0)"""
    p = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr


@pytest.mark.parametrize('command', ['', 'draw', 'quiz grade'])
def test_help_is_quick(start, command):
    "Processor time, which doesn't depend on what else the machine is doing."

    def seconds():
        before = os.times()
        start(command, '--help').communicate()
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(5)) < 0.5


# bad input: one line, the right status, nothing written


@pytest.mark.parametrize(
    ('line', 'status', 'words'),
    [
        ('bogus', 2, ["'bogus'"]),
        ('draw', 2, ['prompts']),
        ('draw x --stepz 3', 2, ['--stepz', '--steps']),
        ('draw x --steps 0', 2, ['steps is 0', 'at least 1']),
        ('draw x --steps -3', 2, ['steps is -3']),
        ('draw x --steps many', 2, ['--steps']),
        ('draw x --guidance nan', 2, ['guidance is nan', 'finite']),
        ('draw x --guidance inf', 2, ['guidance is inf']),
        ('draw x --seed one', 2, ['--seed']),
        ('draw x --seed -1', 2, ['seed is -1']),
        ('draw x --seed 1 --seed -1', 2, ['seed is -1']),
        ('draw x y --seed 1 --seed 2 --seed 3', 2, ['2 prompts', '3 seeds']),
        ('draw x --sampler magic', 2, ['magic', 'ddim', 'euler']),
        ('draw x --out seven', 2, ['.png']),
        ('draw x --out seven.txt', 2, ['.txt', '.png']),
        ('draw x --out /dev/null/seven.png', 2, ['/dev/null']),
        ('draw x --out /proc/seven.png', 2, ['/proc']),
        ('draw x --trace /dev/null/trace', 2, ['/dev/null']),
        ('draw x --scale 0', 2, ['--scale']),
        ('quiz take no_such_quiz', 2, ['no_such_quiz', '00_start']),
        ('quiz lint nowhere.yaml', 2, ['nowhere.yaml']),
        ('quiz lint --format xml', 2, ['xml', 'github']),
        ('quiz grade nowhere.yaml', 2, ['nowhere.yaml']),
        ('quiz probe no_such_probe', 2, ['no_such_probe']),
        ('lab no_such_lesson', 2, ['no_such_lesson', '00_start']),
        ('lab --port 70000', 2, ['70000']),
        ('lab --host no.such.host.invalid', 2, ['no.such.host']),
        ('train doodle', 2, ['--out']),
        ('train doodle --out /dev/null/x', 2, ['/dev/null']),
    ],
)
def test_bad_input(run, here, line, status, words):
    refused(run(line), status, *words)
    assert not list(here.iterdir())


def test_unknown_model(run, monkeypatch):
    t = time.perf_counter()
    refused(run('draw x --model no-such-model'), 2, 'no-such-model', 'doodle')
    # the packages are loaded meanwhile; looking for the model itself takes no time
    assert time.perf_counter() - t < 20


def test_debug_shows_the_traceback(start):
    for line in ('--debug draw x --steps 0', 'draw x --steps 0 --debug'):
        p = start(line)
        out, err = p.communicate(timeout=120)
        assert p.returncode == 1 and 'Traceback' in err and 'BadInput: steps is 0' in err


def test_a_file_that_was_there_survives_a_refusal(run, here):
    mine = here / 'mine.png'
    mine.write_bytes(b'mine')
    refused(run('draw x --out', mine, '--trace', mine), 2, 'is a file')
    assert mine.read_bytes() == b'mine'


# drawing, with whatever model there is


@pytest.fixture(
    params=[
        'tiny',
        pytest.param(
            'doodle', marks=pytest.mark.skipif(not DOODLE.is_file(), reason='the weights are not there')
        ),
    ]
)
def model(request):
    return request.param


def test_draw(run, here, model):
    line = 'draw "a red seven" --steps 2 --seed 1 --out new/seven.png --scale 3 --trace trace --model'
    code, out, err = run(line, model)
    assert (code, out) == (0, 'new/seven.png\n'), err
    width, height = diffcourse.Trace.load('trace').images[0].size
    assert Image.open('new/seven.png').size == (3 * width, 3 * height)


def test_draw_is_repeatable(run, here, model):
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        line = f'draw "a red seven" --steps 2 --seed {seed} --out {name}.png --model'
        assert run(line, model)[0] == 0
    a, b, c = (Path(f'{n}.png').read_bytes() for n in 'abc')
    assert a == b != c


def test_draw_json(run, here, model):
    code, out, err = run(
        'draw "a red seven" "a blue star" --seed 3 --seed 4 --steps 2 --negative grey --sampler euler '
        '--guidance 2 --out x.png --json --model',
        model,
    )
    assert code == 0, err
    data = json.loads(out)
    assert (data['steps'], data['guidance'], data['sampler']) == (2, 2, 'euler')
    pictures = data['pictures']
    assert [p['seed'] for p in pictures] == [3, 4]
    assert [p['prompt'] for p in pictures] == ['a red seven', 'a blue star']
    assert pictures[0]['negative'] == 'grey'
    assert [p['file'] for p in pictures] == ['x-1.png', 'x-2.png']
    assert sorted(p.name for p in here.iterdir()) == ['x-1.png', 'x-2.png']


def test_empty_prompt_is_drawn_without_words(run, here, model):
    code, out, err = run('draw', '', '--steps', '1', '--model', model)
    assert (code, out) == (0, 'drawing.png\n'), err
    assert 'without words' in err


# the end of a command


@pytest.mark.skipif(os.name == 'nt', reason='signals')
def test_ctrl_c():
    code = """if True:
        import sys, time
        from diffcourse.commands import cli, drawing

        def draw_for_a_minute(*args, **options):
            print('ready', file=sys.stderr, flush=True)
            time.sleep(60)

        drawing.check_model = lambda *args, **options: None
        drawing.make_pictures = draw_for_a_minute
        sys.exit(cli.main())"""
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command = [sys.executable, '-c', code, 'draw', 'x']
    p = subprocess.Popen(command, text=True, preexec_fn=hear_ctrl_c, **pipes)
    assert p.stderr.readline() == 'ready\n'
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and err.strip().count('\n') == 0 and 'Ctrl-C' in err and 'Traceback' not in err


def test_broken_pipe(start):
    p = start('--help')
    p.stdout.close()
    assert (p.wait(60), p.stderr.read()) == (141, '')


# JupyterLab


@pytest.mark.skipif(os.name == 'nt', reason='signals')
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_lab(start, how):
    p = start('lab --no-browser', preexec_fn=hear_ctrl_c)
    try:
        line = p.stdout.readline()
        address = line.split()[-1]
        assert line.startswith('JupyterLab: http://127.0.0.1:')
        assert '/lab/tree/nbs/lessons/00_start.ipynb?token=' in address
        with urlopen(address, timeout=60) as r:
            assert r.status == 200
        contents = address.replace('/lab/tree/', '/api/contents/')
        with urlopen(contents, timeout=60) as r:
            assert json.load(r)['name'] == '00_start.ipynb'
        with pytest.raises(HTTPError):
            urlopen(contents.split('?')[0], timeout=60)  # not without the token
        p.send_signal(how)
        assert p.wait(60) == (0 if how == signal.SIGINT else 143)
        with pytest.raises(OSError):
            urlopen(address, timeout=5)  # and the server is gone
    finally:
        p.kill()


def test_lab_port_taken(run):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        s.listen()
        port = s.getsockname()[1]
        refused(run('lab --no-browser --port', port), 2, port)


# questionnaires

ANSWERS = """
quiz: probe_it
answers: {share: 0.25, effect: down}
"""
QUIZ = """
schema: diffcourse.quiz/1
id: probe_it
title: A small one
questions:
  - {id: share, kind: numeric, prompt: A half squared?, answer: 0.25, tolerance: {abs: 0.001},
      tests: [{give: 0.25, score: 1}]}
  - {id: effect, kind: single, prompt: More?, answer: up,
      options: [{id: up, text: Yes}, {id: down, text: No, feedback: Look again.}],
      tests: [{give: up, score: 1}]}
"""


@pytest.fixture
def quizzes(here, tmp_path, monkeypatch):
    "A folder with one questionnaire that needs no model."
    folder = tmp_path / 'quizzes'
    folder.mkdir()
    (folder / 'probe_it.yaml').write_text(QUIZ)
    monkeypatch.setenv('DIFFCOURSE_QUIZZES', str(folder))
    (here / 'mine.yaml').write_text(ANSWERS)
    return folder


def test_quiz_list(run):
    code, out, err = run('quiz list --json')
    assert (code, err) == (0, '')
    found = json.loads(out)
    assert '00_start' in {q['name'] for q in found}
    assert not any(q['problem'] for q in found)
    assert '00_start' in run('quiz list')[1]


def test_quiz_grade(run, here, quizzes):
    code, out, err = run('quiz grade mine.yaml --json --out marks')
    assert (code, err) == (0, '')
    (one,) = json.loads(out)
    assert one['file'] == 'mine.yaml'
    assert [(r['state'], r['score']) for r in one['results']] == [('correct', 1), ('incorrect', 0)]
    lines = (here / 'marks' / 'results.jsonl').read_text().splitlines()
    assert [json.loads(line)['state'] for line in lines] == ['correct', 'incorrect']
    assert (here / 'marks' / 'grades.csv').read_text().splitlines() == [
        '"file","learner","quiz","variant","score","of","answers","blank","unmarked","problem"',
        '"mine.yaml","","probe_it","0","1.0","2.0","2","0","0",""',
    ]
    assert '1 of 2' in run('quiz grade mine.yaml')[1]


@pytest.mark.parametrize(
    'text',
    [
        '{',
        'quiz: [',
        '- 1',
        'quiz: probe_it',
        'quiz: nothing\nanswers: {}',
        'quiz: probe_it\nanswers: {nothing: 1}',
        '\x00',
        '!!python/object:os.system {}',
        'a: &x [*x]',
    ],
)
def test_unreadable_answers(run, here, quizzes, text):
    (here / 'bad.yaml').write_text(text)
    refused(run('quiz grade bad.yaml'), 2)
    code, out, err = run('quiz grade bad.yaml mine.yaml --json')  # the others are marked all the same
    assert code == 2 and [d['file'] for d in json.loads(out)] == ['mine.yaml'] and err.count('\n') == 1


def test_grades_are_no_formulas(run, here, quizzes):
    name = '=HYPERLINK(1).yaml'
    (here / name).write_text(ANSWERS)
    assert run('quiz grade', name, '--out', 'marks')[0] == 0
    assert f"'{name}" in (here / 'marks' / 'grades.csv').read_text()


def test_quiz_lint(run, here, quizzes):
    assert run('quiz lint --json', quizzes / 'probe_it.yaml')[1] is not None
    (here / 'bad.yaml').write_text('schema: diffcourse.quiz/1\ntitel: x\n')
    code, out, err = run('quiz lint bad.yaml')
    assert code == 1 and out.startswith('bad.yaml:') and 'titel' in out
    code, out, err = run('quiz lint bad.yaml --json')
    assert code == 1 and json.loads(out)
    assert run('quiz lint bad.yaml --format github')[1].startswith('::error file=bad.yaml')


def test_quiz_probe(run, monkeypatch):
    monkeypatch.setenv('DIFFCOURSE_MODEL', 'tiny')
    assert 'guidance_mix' in run('quiz probe')[1]
    for wrong in (['scale=much'], ['scale=nan'], ['colour=red'], ['scale']):
        refused(run('quiz probe guidance_mix', *wrong), 2)
    code, out, err = run('quiz probe guidance_mix scale=2 --json')
    assert code == 0 and json.loads(out)['value'], err


def test_quiz_take_at_the_end_of_input(start):
    p = start('quiz take 00_start')
    out, err = p.communicate(timeout=300)
    assert 'Traceback' not in err and p.returncode in (0, 1, 130)


# training


def test_train_does_not_run_over_an_earlier_run(run, here):
    (here / 'run').mkdir()
    (here / 'run' / 'facts.json').write_text('{}')
    refused(run('train doodle --out run'), 2, 'not empty', '--resume')
    assert (here / 'run' / 'facts.json').read_text() == '{}'


# doctor


def test_doctor(run, model, monkeypatch):
    monkeypatch.setenv('DIFFCOURSE_MODEL', str(model))
    code, out, err = run('doctor --json')
    checks = {c['name']: c for c in json.loads(out)}
    assert code == 0 and checks['model']['data']['bytes'] > 0
    assert all(c['state'] in ('ok', 'note') for c in checks.values())
    assert run('doctor')[0] == 0


def test_doctor_finds_what_is_missing(run, monkeypatch):
    monkeypatch.setenv('DIFFCOURSE_HOME', '/dev/null/home')
    monkeypatch.setenv('DIFFCOURSE_MODEL', 'no-such-model')
    code, out, err = run('doctor --json')
    missing = {c['name']: c for c in json.loads(out) if c['state'] == 'missing'}
    assert code == 1 and set(missing) == {'store', 'model'}
    assert 'DIFFCOURSE_HOME' in missing['store']['advice']


# the front door


def test_front_door_is_lazy():
    code = """if True:
        import sys, diffcourse
        dir(diffcourse)
        diffcourse.BadInput
        sys.exit(' '.join(m for m in ('torch', 'numpy', 'pydantic') if m in sys.modules) or 0)"""
    p = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr


def test_front_door_holds_what_it_says():
    assert diffcourse.__all__ == list(diffcourse._where)
    for name in diffcourse.__all__:
        assert getattr(diffcourse, name) is not None
    with pytest.raises(AttributeError):
        diffcourse.nothing


def test_words_the_model_was_never_shown_are_named(run, here):
    "It draws all the same, and says in one line which words mean nothing to it."
    code, out, err = run('draw', 'a purple elephant', '--steps', 2, '--out', here / 'e.png')
    assert code == 0 and Image.open(here / 'e.png').size == (128, 128)
    notes = [line for line in err.splitlines() if line.startswith('note: ')]
    assert len(notes) == 1 and "'elephant'" in notes[0] and 'purple' not in notes[0]
    assert 'note: ' not in run('draw', 'a purple seven at the top', '--steps', 2, '--out', here / 'e.png')[2]
