"The store: no answered event is lost, whatever happens to the process, the folder or the disk."

import json
import os
import random
import resource
import signal
import sqlite3
import time
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from diffcourse.base.errors import BadInput
from diffcourse.quiz.ground.record import Result
from diffcourse.quiz.core.store import Store, due, read_events, write_events

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='processes are made by fork here')


def result(score, question='a'):
    return Result(
        quiz='q',
        question=question,
        kind='numeric',
        variant=0,
        state={1: 'correct', 0: 'incorrect', None: 'invalid'}[score],
        score=score,
        given=score,
    )


def child(work):
    "Run `work(write)` in a process of its own, where `write` reports a line: (pid, end of the pipe to read)."
    read, write = os.pipe()
    if pid := os.fork():
        os.close(write)
        return pid, read
    status = 1
    try:
        os.close(read)
        work(lambda line: os.write(write, f'{line}\n'.encode()))
        status = 0
    except BaseException as e:
        os.write(2, f'{type(e).__name__}: {e}\n'.encode())
    finally:
        os._exit(status)


def reported(read):
    "Whole lines out of a pipe, until it ends."
    with os.fdopen(read, 'rb') as f:
        return [line.decode() for line in f.read().split(b'\n')[:-1]]


def writer(path, n=10**9, size=2000):
    def work(say):
        store = Store(path)
        for _ in range(n):
            say(store.add('q', 'a', 0, 'answer', {'text': 'x' * size}, 'correct', 1.0))
        store.close()

    return work


def check(path, said):
    "Everything that was reported is there, whole, and the file is sound."
    store = Store(path)
    events = store.events()
    assert store.lasting and store.db.execute('PRAGMA integrity_check').fetchone() == ('ok',)
    assert set(said) <= {e['uuid'] for e in events} and len({e['uuid'] for e in events}) == len(events)
    assert all(len(e['data']['text']) == 2000 and e['score'] == 1 for e in events)
    store.close()
    return events


@pytest.mark.slow
def test_a_hundred_kills(tmp_path):
    "`kill -9` while a file is made, is brought up to date, is written."
    chance, said, kills = random.Random(0), [], 0
    for n in range(120):
        path = tmp_path / f'{n // 30}.sqlite'
        pid, read = child(writer(path))
        time.sleep(chance.choice([0, 0.002, 0.005, 0.01, 0.02, 0.04]) * chance.random() * 2)
        os.kill(pid, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        said.append((path, reported(read)))
    assert kills == 120 and sum(len(s) for _, s in said) > 20
    for p in {p for p, _ in said}:
        assert len(check(p, [u for q, s in said if q == p for u in s])) >= 1


def test_two_writers_killed(tmp_path):
    path, said = tmp_path / 'p.sqlite', []
    for _ in range(15):
        both = [child(writer(path)) for _ in range(2)]
        time.sleep(0.03)
        for pid, _ in both:
            os.kill(pid, signal.SIGKILL)
        for pid, read in both:
            os.waitpid(pid, 0)
            said += reported(read)
    check(path, said)
    assert said


def test_two_processes_at_once(tmp_path):
    "Both begin with a file that isn't there, and write as fast as they can."
    both = [child(writer(tmp_path / 'p.sqlite', 100)) for _ in range(2)]
    said = [reported(read) for _, read in both]
    assert [os.waitpid(pid, 0)[1] for pid, _ in both] == [0, 0] and [len(s) for s in said] == [100, 100]
    assert len(check(tmp_path / 'p.sqlite', sum(said, []))) == 200


def poor(work, user=False, limit=0):
    "What `work()` returns in a process without rights or room, and its warnings."

    def inside(say):
        if user and os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter('always')
            out = work()
        say(json.dumps([out, [str(w.message) for w in seen]]))

    pid, read = child(inside)
    lines = reported(read)
    assert os.waitpid(pid, 0)[1] == 0
    return json.loads(lines[0])


def test_read_only_folder(tmp_path):
    "Practice goes on with what is there; one warning."
    for p in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(p, 0o755)
    folder = tmp_path / 'home'
    store = Store(folder / 'p.sqlite')
    store.keep(result(1))
    store.close()
    (tmp_path / 'empty').mkdir()
    os.chmod(folder / 'p.sqlite', 0o444)
    os.chmod(folder, 0o555)
    os.chmod(tmp_path / 'empty', 0o555)

    def work(path):
        store = Store(path)
        for q in 'bcd':
            store.keep(result(1, q))
        return store.best('q'), store.lasting

    try:
        for path, old in (
            (folder / 'p.sqlite', {'a': 1.0}),
            (tmp_path / 'empty' / 'p.sqlite', {}),
            (tmp_path / 'empty' / 'below' / 'p.sqlite', {}),
        ):
            (best, lasting), said = poor(lambda path=path: work(path), user=True)
            assert best == old | dict.fromkeys('bcd', 1.0)
            assert not lasting
            assert len(said) == 1
            assert 'answers are not kept' in said[0]
            assert '\n' not in said[0]
    finally:
        os.chmod(folder, 0o755)


def test_full_disk(tmp_path):
    "Said in one line; what was there is there, and what comes is remembered as long as the process lives."
    path = tmp_path / 'p.sqlite'
    store = Store(path)
    store.keep(result(0))
    store.close()

    def work():
        store = Store(path)
        for n in range(200):
            store.add('q', f'b{n}', 0, 'answer', {'text': 'x' * 3000}, 'correct', 1.0)
        return len(store.best('q')), store.lasting

    (best, lasting), said = poor(work, limit=path.stat().st_size + 100_000)
    assert best == 201
    assert not lasting
    assert len(said) == 1
    assert 'answers are not kept' in said[0]
    assert '\n' not in said[0]
    store = Store(path)
    kept = store.events()
    assert store.lasting
    assert 1 < len(kept) < 201
    assert store.db.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def test_room_again(tmp_path):
    "What was not kept gets into the file as soon as it can be written."
    store = Store(tmp_path / 'p.sqlite')
    store.keep(result(0))
    store.db.execute(f'PRAGMA max_page_count={store.db.execute("PRAGMA page_count").fetchone()[0]}')
    with pytest.warns(UserWarning, match='the disk is full; free some space'):
        store.add('q', 'b', 0, 'answer', {'text': 'x' * 20_000}, 'correct', 1.0)
    assert not store.lasting and len(store.unsaved) == 1
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        store.keep(result(1, 'c'))
    assert store.lasting and not store.unsaved
    store.close()
    assert [e['question'] for e in Store(tmp_path / 'p.sqlite').events()] == ['a', 'b', 'c']


def test_events_stay(tmp_path):
    store = Store(tmp_path / 'p.sqlite')
    store.keep(result(1))
    for change in (
        'UPDATE events SET score=0',
        'DELETE FROM events',
        (
            "INSERT OR REPLACE INTO events SELECT uuid, time, quiz, question, variant, what, 'incorrect', "
            '0, data, of FROM events'
        ),
    ):
        try:
            store.db.execute(change)
        except sqlite3.IntegrityError:
            pass
    assert [e['score'] for e in store.events()] == [1.0]


@pytest.mark.parametrize('version', [0, 1])
def test_migrations(tmp_path, version):
    "A file of each earlier format opens, keeps its events, and is then of the newest one."
    from diffcourse.quiz.core.store import _MIGRATIONS

    db = sqlite3.connect(tmp_path / 'p.sqlite')
    for step in _MIGRATIONS[:version]:
        for s in step:
            db.execute(s)
    if version:
        db.execute(
            'INSERT INTO events (uuid, time, quiz, question, variant, what, state, score, data) VALUES '
            "('old', 1, 'q', 'a', 0, 'answer', 'correct', 1, '{}')"
        )
    db.execute(f'PRAGMA user_version={version}')
    db.commit()
    db.close()
    store = Store(tmp_path / 'p.sqlite')
    assert store.lasting and len(store.events()) == version
    assert store.db.execute('PRAGMA user_version').fetchone()[0] == len(_MIGRATIONS)
    assert store.db.execute('PRAGMA journal_mode').fetchone() == ('wal',)


def test_a_newer_file_is_left_alone(tmp_path):
    db = sqlite3.connect(tmp_path / 'p.sqlite')
    db.execute('PRAGMA user_version=99')
    db.execute('CREATE TABLE future (x)')
    db.commit()
    db.close()
    before = (tmp_path / 'p.sqlite').read_bytes()
    with pytest.warns(UserWarning, match='newer version'):
        store = Store(tmp_path / 'p.sqlite')
    store.keep(result(1))
    assert store.best('q') == {'a': 1.0}
    store.close()
    with sqlite3.connect(tmp_path / 'p.sqlite') as db:
        assert db.execute('PRAGMA user_version').fetchone() == (99,)
        assert db.execute('SELECT name FROM sqlite_master').fetchall() == [('future',)]
    assert len((tmp_path / 'p.sqlite').read_bytes()) == len(before)


def test_threads_take_turns(tmp_path):
    "Jupyter answers clicks in a thread of its own, while cells run in the main one."
    store = Store(tmp_path / 'p.sqlite')
    store.keep(result(1))

    def click():
        for _ in range(50):
            store.keep(result(0))
            assert store.best('q') == {'a': 1}
            store.events('q', 'a')

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(click) for _ in range(4)]:
            future.result()
    assert len(store.events('q')) == 201 and store.lasting
    store.close()


def test_home(tmp_path, monkeypatch):
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path / 'a' / 'b'))
    store = Store()
    store.keep(result(1))
    store.close()
    assert (tmp_path / 'a' / 'b' / 'progress.sqlite').is_file() and Store().best('q') == {'a': 1.0}


def test_a_mark_never_falls(tmp_path):
    store = Store(tmp_path / 'p.sqlite')
    last = 0
    for score in (None, 0, 1, 0, None):
        uid = store.keep(result(score))
        best = store.best('q').get('a', 0)
        assert best >= last
        last = best
    store.keep(result(0), of=uid)
    assert store.best('q') == {'a': 1.0}


def test_out_and_in(tmp_path):
    a, b, file = Store(tmp_path / 'a.sqlite'), Store(tmp_path / 'b.sqlite'), tmp_path / 'events.jsonl'
    for s in (1, 0, None):
        a.keep(result(s))
    a.add('q', 'a', 0, 'lock', {'given': 'ü\n"'})
    b.keep(result(1, 'b'))
    assert write_events(a, file) == 4
    assert read_events(b, file) == (4, 0)
    assert read_events(b, file) == (0, 4)
    assert read_events(a, file) == (0, 4)
    assert write_events(b, tmp_path / 'both.jsonl') == 5 and read_events(a, tmp_path / 'both.jsonl') == (1, 4)
    assert sorted(e['uuid'] for e in a.events()) == sorted(e['uuid'] for e in b.events())
    assert [e for e in a.events() if e['what'] == 'lock'][0]['data'] == {'given': 'ü\n"'}


@pytest.mark.parametrize(
    'change',
    [
        dict(score=2),
        dict(score=None),
        dict(state='great'),
        dict(what='gift'),
        dict(time='now'),
        dict(time=float('nan')),
        dict(uuid=''),
        dict(variant=True),
        dict(data=[]),
        dict(quiz=7),
        dict(schema='other'),
        'junk',
        '[]',
        '\x00',
        '[' * 5000,
    ],
)
def test_wrong_lines_add_nothing(tmp_path, change):
    store, file = Store(':memory:'), tmp_path / 'e.jsonl'
    good = dict(
        schema='diffcourse.event/1',
        uuid=str(uuid.uuid4()),
        time=1.0,
        quiz='q',
        question='a',
        variant=0,
        what='answer',
        state='correct',
        score=1.0,
        data={},
        of=None,
    )
    file.write_text(
        json.dumps(good)
        + '\n'
        + (json.dumps(good | {'uuid': str(uuid.uuid4())} | change) if isinstance(change, dict) else change)
    )
    with pytest.raises(BadInput, match=':2:1 '):
        read_events(store, file)
    assert store.events() == []


def test_due_is_worked_out_from_events():
    "The same events, the same days; what was wrong comes first."
    from datetime import datetime, timedelta, timezone

    store = Store(':memory:')
    day = 86400.0
    rows = [('good', 0, 1), ('good', 3, 1), ('bad', 0, 1), ('bad', 3, 0), ('new', 3, 1), ('never', 3, None)]
    store._write(
        [
            (
                str(uuid.uuid4()),
                1e9 + d * day,
                'q',
                q,
                0,
                'answer',
                'invalid' if s is None else 'correct' if s else 'incorrect',
                s,
                '{}',
                None,
            )
            for q, d, s in rows
        ]
    )
    all_ = due(store, later=True, now=datetime.fromtimestamp(1e9 + 3 * day, timezone.utc))
    assert [d.question for d in all_] == ['bad', 'new', 'good']
    assert all_ == due(store, 'q', later=True, now=datetime.fromtimestamp(1e9 + 3 * day, timezone.utc))

    def at(days):
        return [
            d.question
            for d in due(
                store, now=datetime.fromtimestamp(1e9 + 3 * day, timezone.utc) + timedelta(days=days)
            )
        ]

    assert at(0) == []
    assert at(0.01) == ['bad']
    assert set(at(1000)) == {'good', 'bad', 'new'}
    assert due(store, 'other') == []
