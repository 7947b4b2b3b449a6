"""The map of what learners ask: every `covers` leads into it, a wrong id is found at its place, and it is
never taken for a questionnaire."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from quiz_lab import HEAD, lab

from conftest import ROOT
from diffcourse.base.errors import BadInput
from diffcourse.quiz.author.coverage import coverage, map_ids, nearest_id, open_rows, part_of, read_map
from diffcourse.quiz.author.lint import lint_files, lint_quiz
from diffcourse.quiz.core.catalog import list_quizzes
from diffcourse.quiz.core.folder import find_quiz, map_file, quiz_files, quiz_names
from diffcourse.quiz.core.reader import read_quiz

QUESTION = '  - {id: q, kind: reflect, prompt: "Why, {n}? {mix.ratio}", covers: [s0.p1.q18, %s]}\n'


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    "A folder of one's own with one of the course's questionnaires."
    shutil.copy(ROOT / 'quizzes/00_start.yaml', tmp_path)
    monkeypatch.setenv('DIFFCOURSE_QUIZZES', str(tmp_path))
    monkeypatch.setenv('DIFFCOURSE_HOME', str(tmp_path / 'home'))
    return tmp_path


# ---- the map of the course


def test_every_covers_of_the_course_is_in_the_map():
    ids = set(map_ids())
    for path in quiz_files(ROOT / 'quizzes'):
        for question in read_quiz(path)[0].questions:
            unknown = set(question.covers) - ids
            assert not unknown, (
                f'{path.name}: {question.id} covers {sorted(unknown)}, which the map does not have'
            )


def test_ids_are_numbered_without_holes():
    "An id stays with its row for good; new rows come at the end of their part."
    numbers = {}
    for id in map_ids():
        numbers.setdefault(part_of(id), []).append(int(id[-2:]))
    for part, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), part


def test_rows_that_need_no_run_say_so():
    for row in read_map()[0].rows:
        assert row.live != row.experiment.startswith('Nothing to run'), row.id
        assert row.ask.endswith('?') or '? ' in row.ask, f'{row.id} asks nothing'


def test_what_is_open():
    asked, _ = read_map()
    covered = coverage(asked, [read_quiz(p)[0] for p in quiz_files(ROOT / 'quizzes')])
    assert {quiz for quiz, _ in covered['s0.p1.q18']} >= {'00_start'}
    assert set(open_rows(covered)) == {row.id for row in asked.rows if not covered[row.id]}
    assert open_rows(coverage(asked, [])) == list(map_ids())


# ---- a wrong id


@pytest.mark.parametrize(
    'wrong, near',
    [
        ('s0.p1.q26', 's0.p1.q25'),
        ('s0.p1.q00', 's0.p1.q01'),
        ('s3.q04', 's3.t04'),
        ('s2.q99', 's2.q86'),
        ('s0.p4.q03', 's0.p1.q03'),
    ],
)
def test_a_wrong_id_is_found_at_its_place(wrong, near):
    text = HEAD + QUESTION % wrong
    found = lint_quiz(*read_quiz('good.yaml', text), registry=lab)
    line = text.splitlines().index((QUESTION % wrong).rstrip()) + 1
    column = (QUESTION % wrong).index(wrong) + 1
    assert [(m.code, m.line, m.column) for m in found if m.code == 'L016'] == [('L016', line, column)]
    assert any(m.text.endswith(f'the map has no {wrong}; did you mean {near}?') for m in found)


def test_every_id_is_nearest_to_itself():
    ids = map_ids()
    assert all(nearest_id(id, ids) == id for id in ids)


def test_a_map_of_ones_own(elsewhere):
    "It counts for the questionnaires beside it; where there is none, the course's does."
    assert map_file() == ROOT / 'quizzes/map.yaml' and lint_files() == []
    row = '{id: s0.p1.q12, topic: seeding, ask: How?, live: true, experiment: Draw twice.}'
    (elsewhere / 'map.yaml').write_text(f'schema: diffcourse.map/1\nparts: {{s0.p1: Mine}}\nrows: [{row}]\n')
    assert map_file() == elsewhere / 'map.yaml' and map_ids() == ('s0.p1.q12',)
    found = lint_files()
    assert {m.code for m in found} == {'L016'} and all('did you mean s0.p1.q12?' in m.text for m in found)
    (elsewhere / 'map.yaml').write_text(
        'schema: diffcourse.map/1\nparts: {s0.p1: Mine}\nrows:\n  - {id: s0.p1.q12, tpoic: seeding}\n'
    )
    # the map alone is to blame
    assert any(m.line == 4 and 'did you mean `topic`?' in m.text for m in lint_files())
    assert all(m.path.endswith('map.yaml') for m in lint_files())


# ---- no questionnaire


def test_the_map_is_no_questionnaire(elsewhere):
    (elsewhere / 'map.yaml').write_text((ROOT / 'quizzes/map.yaml').read_text('utf-8'), 'utf-8')
    assert quiz_names() == ['00_start'] == [info.name for info in list_quizzes()]
    assert [p.name for p in quiz_files()] == ['00_start.yaml'] and lint_files() == []
    with pytest.raises(BadInput, match='map lists what learners ask, and is not a questionnaire'):
        find_quiz('map')


def test_only_one_place_looks_for_questionnaires():
    """Whoever lists `*.yaml` for himself takes the map for a questionnaire; `quiz_files` of
    quiz.core.folder does not."""
    allowed = {
        'diffcourse/quiz/core/folder.py',
        'diffcourse/quiz/author/lint.py',
        'diffcourse/commands/questionnaires.py',
    }  # lint reads both
    sources = [
        p for folder in ('diffcourse', 'docs', 'tests', 'benchmarks') for p in (ROOT / folder).rglob('*.py')
    ]
    found = {
        str(p.relative_to(ROOT)) for p in sources if re.search(r'glob\(.\*\.ya?ml', p.read_text('utf-8'))
    }
    assert found == allowed, (
        f'use quiz_files: {sorted(found - allowed)}; not needed any more: {sorted(allowed - found)}'
    )


def test_the_map_travels_with_the_questionnaires(tmp_path):
    """What setuptools puts into a wheel, without building one; then a course that lies as in an installed
    package."""
    pytest.importorskip('setuptools')
    code = """import json, sys
from setuptools import Distribution
from setuptools.command.build_py import build_py
d = Distribution(); d.parse_config_files(['pyproject.toml']); d.script_name = 'setup.py'
b = build_py(d); b.finalize_options(); b.editable_mode = False
files = [files for package, _, _, files in b.data_files if package == 'diffcourse.quizzes']
print(json.dumps(sum(files, [])))"""
    r = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[-2000:]
    assert set(json.loads(r.stdout.splitlines()[-1])) == {
        p.name for p in (ROOT / 'quizzes').iterdir() if p.suffix == '.yaml'
    }
    shutil.copytree(
        ROOT / 'diffcourse',
        tmp_path / 'diffcourse',
        ignore=shutil.ignore_patterns('doodle', 'weights', '__pycache__'),
    )
    shutil.copytree(ROOT / 'quizzes', tmp_path / 'diffcourse/quizzes')
    code = (
        'from diffcourse.quiz.author.coverage import map_ids; from diffcourse.quiz.core.folder import '
        'map_file; print(map_file(), len(map_ids()))'
    )
    r = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert r.stdout.split() == [str(tmp_path / 'diffcourse/quizzes/map.yaml'), str(len(map_ids()))], r.stderr[
        -2000:
    ]


# ---- the page


@pytest.fixture
def written(tmp_path):
    "The pages of the course's questionnaires, as Markdown."
    sys.path.insert(0, str(ROOT / 'docs'))
    import pages

    pages.write_quizzes(tmp_path, quiz_files(ROOT / 'quizzes'), {})
    return tmp_path / 'quizzes'


def test_the_page_lists_every_row_and_counts_what_is_open(written):
    text, (asked, _) = (written / 'map.md').read_text('utf-8'), read_map()
    covered = coverage(asked, [read_quiz(p)[0] for p in quiz_files(ROOT / 'quizzes')])
    missing = open_rows(covered)
    assert f'{len(asked.rows) - len(missing)} are asked in a questionnaire, {len(missing)} are open.' in text
    assert text.count('[open]{.badge .open}') == text.count('No question covers it yet.') == len(missing) > 0
    assert sum(int(n) for n in re.findall(r'^\d+ rows, \d+ covered, (\d+) open', text, re.M)) == len(missing)
    boxes = dict(re.findall(r'^\(map-([\w-]+)\)=\n::::\{container\} asked\n(.*?)\n::::', text, re.M | re.S))
    assert len(boxes) == len(asked.rows)
    for row in asked.rows:
        box = boxes[row.id.replace('.', '-')]
        assert f'**{row.ask}**' in box and row.experiment in box
        assert set(re.findall(r'\(#q-(\w+?)-([\w-]+)\)', box)) == set(covered[row.id])
        assert ('[can be measured]' in box) == row.live
    assert f'{len(missing)} of {len(asked.rows)} open' in (written / 'index.md').read_text('utf-8')
    assert not (written / 'map.yaml').exists()


def test_pages_lead_to_the_map_and_back(written):
    "Every link between questions and rows has its other end."
    pages = {p.stem: p.read_text('utf-8') for p in written.glob('*.md')}
    labels = {label for text in pages.values() for label in re.findall(r'^\(([\w-]+)\)=$', text, re.M)}
    links = {to for text in pages.values() for to in re.findall(r'\]\(#([\w-]+)\)', text)}
    assert links and links <= labels, sorted(links - labels)[:5]
    for name in quiz_names():
        assert '](#map-' in pages[name], f'{name} leads nowhere'
