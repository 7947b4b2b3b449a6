"Code questions: what learners' code can't do, and that honest code passes."

import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace as N

import psutil
import pytest

from conftest import read_data
from diffcourse.base.errors import CourseError
from diffcourse.quiz.sandbox import code as quiz_code
from diffcourse.quiz.sandbox.code import CodeReport, mark_code
from diffcourse.quiz.sandbox.process import Limits, has_bwrap, jailed, run_child, unused_user

LINUX = os.uname().sysname == 'Linux'
RIGHT = 'def mix(uncond, cond, scale): return uncond + scale*(cond-uncond)'
SPEC = N(
    function='mix',
    starter='',
    library='diffcourse.maths.guidance.cfg',
    tolerance=N(abs=1e-9, rel=1e-9, spreads=0),
    time_limit_s=2,
    cases=3,  # numbers: nothing has to import torch
    inputs=[
        N(name='uncond', draw='floats', low=-1, high=1),
        N(name='cond', draw='floats', low=-1, high=1),
        N(name='scale', draw='floats', low=2, high=9),
    ],
)
TENSORS = N(
    **vars(SPEC)
    | {
        'inputs': [
            N(name='uncond', draw='latents'),
            N(name='cond', draw='latents'),
            N(name='scale', draw='floats'),
        ],
        'time_limit_s': 10,
        'tolerance': N(abs=1e-6, rel=1e-5, spreads=0),
    }
)
WRONG = 'def mix(uncond, cond, scale): return 0.'

ATTACKS = read_data('attacks')  # name -> body of `mix`, or a whole program that holds it


@pytest.fixture
def prey(tmp_path):
    "A file and a folder to attack, and a port to call."
    import socket

    folder = tmp_path / 'submissions'
    folder.mkdir()
    victim = folder / 'other.yaml'
    victim.write_text('precious')
    os.chmod(victim, 0o666)
    os.chmod(folder, 0o777)
    for p in (tmp_path, tmp_path.parent):
        os.chmod(p, 0o777)
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen()
        server.settimeout(0.05)
        yield N(
            victim=victim,
            folder=folder,
            marker=tmp_path / 'marker',
            port=server.getsockname()[1],
            server=server,
        )


@pytest.mark.skipif(not LINUX, reason='limits and filters are those of Linux')
@pytest.mark.parametrize('name', ATTACKS)
def test_attack(name, prey, monkeypatch):
    monkeypatch.setenv('SECRET', '1.0')
    body = ATTACKS[name].format(
        victim=str(prey.victim),
        folder=str(prey.folder),
        marker=str(prey.marker),
        port=prey.port,
        root=str(Path(quiz_code.__file__).parents[3]),
    )
    source = (
        body
        if 'def mix' in body
        else 'def mix(uncond, cond, scale):\n' + ''.join(f'    {line}\n' for line in body.splitlines())
    )
    report = mark_code(source, SPEC, 7)
    assert (
        isinstance(report, CodeReport)
        and not report.ok
        and report.score in (0.0, None)
        and report.state in ('incorrect', 'invalid')
    ), report
    assert all(len(m) < 600 for m in report.messages)
    assert prey.victim.read_text() == 'precious'
    assert not prey.marker.exists()
    assert os.access(prey.victim, os.R_OK)
    with pytest.raises(TimeoutError):
        prey.server.accept()


def test_there_are_enough_attacks():
    assert len(ATTACKS) >= 20


@pytest.mark.parametrize('spec', [SPEC, TENSORS], ids=['numbers', 'tensors'])
def test_honest_code_passes(spec):
    report = mark_code(RIGHT, spec, 7)
    assert report == CodeReport(
        True, 1.0, ('3 of 3 cases agree with diffcourse.maths.guidance.cfg, exactly',), 'correct'
    )


def test_patched_torch_gains_nothing():
    patch = (
        'import torch\n'
        'torch.equal = torch.allclose = lambda *a, **k: True\n'
        'torch.Tensor.__eq__ = lambda s, o: True\n'
        'torch.Tensor.cpu = torch.Tensor.detach = lambda s: s*0\n'
    )
    assert mark_code(patch + 'def mix(uncond, cond, scale): return cond', TENSORS, 7).score == 0
    sub = (
        'import torch\n'
        'class T(torch.Tensor):\n'
        '    @classmethod\n'
        '    def __torch_function__(cls, f, types, args=(), kwargs=None): return True\n'
        'def mix(uncond, cond, scale): return cond.as_subclass(T)'
    )
    assert mark_code(sub, TENSORS, 7).score == 0


@pytest.mark.parametrize(
    'source,words',
    [
        ('def mix(uncond, cond, scale): return uncond + scale*(cond-uncond) + 1e-3', 'off'),
        ('def mix(uncond, cond, scale): return 1', 'a int, expected a float'),
        ('def mix(uncond, cond, scale): return 1/0', 'ZeroDivisionError'),
        ('def mix(): return 1', 'TypeError'),
        ('def mix(uncond, cond, scale):\n    pass\n    return nothing', 'line 3'),
        ('x = 1/0\ndef mix(): pass', 'ZeroDivisionError'),
    ],
)
def test_wrong_code_is_told_why(source, words):
    report = mark_code(source, SPEC, 3)
    assert report.score == 0 and words in report.messages[0]


@pytest.mark.parametrize(
    'source',
    [
        '',
        '  ',
        'def mix(',
        'def other(): return 1',
        'mix = \0',
        'x' * 30_000,
        None,
        7,
        '\ud800',
        'def mix(uncond, cond, scale):\nreturn 1',
    ],
)
def test_unreadable_code_costs_nothing(source):
    report = mark_code(source, SPEC, 3)
    assert report.state == 'invalid' and report.score is None


def test_names_of_arguments_may_differ():
    assert mark_code('def mix(u, c, s): return u + s*(c-u)', SPEC, 3).ok


def test_seeds_draw_other_inputs():
    "An answer that knows the numbers of one seed fails with another."
    from diffcourse.quiz.sandbox.inputs import draw_inputs

    known = {
        repr(c['scale']): c['uncond'] + c['scale'] * (c['cond'] - c['uncond']) for c in draw_inputs(SPEC, 1)
    }
    source = f'known = {known!r}\ndef mix(uncond, cond, scale): return known.get(repr(scale), 0.)'
    assert mark_code(source, SPEC, 1).ok and not mark_code(source, SPEC, 2).ok


def test_broken_question_is_a_fault():
    for change in (
        {'library': 'os.system'},
        {'library': 'diffcourse.maths.guidance.cfg.__call__'},
        {'library': 'diffcourse.nowhere.guide'},
        {'inputs': [N(name='x', draw='floats')]},
    ):
        assert mark_code('def mix(*a, **k): return 0.', N(**vars(SPEC) | change), 1).state == 'fault'


def test_child_is_given_nothing_else():
    """Neither what is sent nor the text of the program says what is expected, and the expected value is
    worked out afterwards."""
    from diffcourse.quiz.sandbox import child

    sent = []

    def run(request, limits):
        sent.append(request)
        return run_child(request, limits)

    def guide(**inputs):
        assert sent, 'before the process has ended'
        return sum(inputs.values())

    old = quiz_code.run_child, quiz_code.library_function
    try:
        quiz_code.run_child, quiz_code.library_function = run, lambda name: guide
        assert mark_code('def mix(uncond, cond, scale): return uncond + cond + scale', SPEC, 1).ok
    finally:
        quiz_code.run_child, quiz_code.library_function = old
    assert set(child.unpack(sent[0])[0]) == {
        'source',
        'function',
        'inputs',
        'seconds',
        'memory',
        'user',
        'torch',
    }


def test_clean_end(tmp_path):
    "Nothing is left behind: no process, no open file."

    def children():
        return {p.pid for p in psutil.Process().children()}  # other tests may have left some of their own

    before, there = len(os.listdir('/proc/self/fd')) if LINUX else 0, children()
    for source in (RIGHT, 'import time; time.sleep(99)'):
        mark_code(source, N(**vars(SPEC) | {'time_limit_s': 0.3}), 1)
    time.sleep(0.1)
    if LINUX:
        assert len(os.listdir('/proc/self/fd')) <= before
    assert children() <= there


def test_bubblewrap_or_refusal():
    "Asked for and not there, it is an error, never a silent step down."
    if has_bwrap():
        with jailed():
            assert mark_code(RIGHT, SPEC, 1).ok
            peek = (
                'import os\n'
                'def mix(uncond, cond, scale): return float(len([p for p in os.listdir("/proc") if '
                'p.isdigit()]) < 5)'
            )
            assert 'off' in mark_code(peek, SPEC, 1).messages[0]
            assert (
                'FileNotFoundError'
                in mark_code(
                    f'def mix(uncond, cond, scale): return open({str(Path(quiz_code.__file__))!r}).read()',
                    SPEC,
                    1,
                ).messages[0]
            )
    else:
        with jailed(), pytest.raises(CourseError, match='bwrap'):
            mark_code(RIGHT, SPEC, 1)


def test_a_false_bubblewrap_is_noticed(tmp_path, monkeypatch):
    (tmp_path / 'bwrap').write_text('#!/bin/sh\nexit 1\n')
    os.chmod(tmp_path / 'bwrap', 0o755)
    monkeypatch.setenv('PATH', str(tmp_path) + os.pathsep + os.environ['PATH'])
    has_bwrap.cache_clear()
    try:
        assert shutil.which('bwrap') == str(tmp_path / 'bwrap') and not has_bwrap()
        with jailed(), pytest.raises(CourseError, match='bwrap'):
            mark_code(RIGHT, SPEC, 1)
    finally:
        monkeypatch.undo()
        has_bwrap.cache_clear()


def test_limits_are_kept():
    from diffcourse.quiz.sandbox import child

    assert child.refuse_calls.__doc__ and Limits().printed == 1 << 20
    probe = """import os
def mix(uncond, cond, scale):
    import resource
    names = ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE")
    return [resource.getrlimit(getattr(resource, n))[1] for n in names] + [os.getuid() == 0]"""
    seen = []
    old = quiz_code._judge
    try:
        quiz_code._judge = lambda run, *a: seen.append(child.unpack(run.message)[0]) or old(run, *a)
        mark_code(probe, SPEC, 1)
    finally:
        quiz_code._judge = old
    value = child.from_data(seen[0]['cases'][0]['value'], {})
    if LINUX:
        # root becomes somebody else where Python can be read by all
        assert value == [
            0,
            0,
            0,
            os.getuid() == 0 and not unused_user(),
        ]
