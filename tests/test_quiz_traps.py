"Files that are no questionnaires, and traps of YAML: each gives a message at its line, and quickly."

import os
import time

import pytest
from lint_lab import FILES, TRAPS, check_messages, messages
from quiz_lab import lab

from diffcourse.quiz.author.lint import lint_files

pytestmark = pytest.mark.usefixtures('stood_in')


@pytest.mark.parametrize('n', range(len(TRAPS)))
def test_traps_of_yaml(n):
    text, code, line = TRAPS[n]
    began = time.process_time()
    found = messages(text)
    assert found and time.process_time() - began < 2
    assert code is None or code in {m.code for m in found}, [str(m) for m in found]
    assert line is None or any(m.line == line and code in (None, m.code) for m in found), [
        str(m) for m in found
    ]
    check_messages(found, text)


@pytest.mark.parametrize('name', FILES)
def test_files_that_are_no_questionnaires(name, tmp_path):
    raw, code, line = FILES[name]
    path = tmp_path / 'good.yaml'
    path.write_bytes(raw)
    began = time.process_time()
    found = lint_files([path], live=True, registry=lab)
    assert found and time.process_time() - began < 2
    assert all('\n' not in str(m) and m.path == str(path) for m in found)
    assert code is None or any(m.code == code and line in (None, m.line) for m in found), [
        str(m) for m in found
    ]


def test_places_that_are_no_files(tmp_path, monkeypatch):
    (tmp_path / 'loop.yaml').symlink_to(tmp_path / 'loop.yaml')
    (tmp_path / 'folder.yaml').mkdir()
    for path in ('none.yaml', 'loop.yaml', 'folder.yaml', 'x' * 300 + '.yaml'):
        found = lint_files([tmp_path / path])
        assert [m.code for m in found] == ['Y001'] and len(str(found[0])) < 700
    if os.geteuid():
        (tmp_path / 'shut.yaml').write_text('a: 1')
        (tmp_path / 'shut.yaml').chmod(0)
        assert [m.code for m in lint_files([tmp_path / 'shut.yaml'])] == ['Y001']
