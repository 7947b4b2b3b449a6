"settings.ini at its edges: where it is looked for, what wins, and what is said about what can't be."

import os
import shutil
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from conftest import ROOT

from typer.testing import CliRunner

from diffcourse.base.errors import BadInput, CourseError
from diffcourse.base.settings import Settings, settings, settings_file


@pytest.fixture
def course(tmp_path, monkeypatch):
    "Writes a settings.ini, goes into its folder, and forgets the environment."
    for name in list(os.environ):
        if name.startswith('DIFFCOURSE_'):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def write(text, folder=''):
        file = tmp_path / folder / 'settings.ini'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def test_the_file_that_comes_with_the_course_says_the_defaults(course, tmp_path):
    "What the code says and what the file says is the same, so that it doesn't matter where you start."
    shutil.copy(ROOT / 'settings.ini', tmp_path)
    file, text = settings_file()
    assert file == tmp_path / 'settings.ini'
    assert set(text) == {f.name for f in fields(Settings)}
    assert settings() == Settings()


def test_without_a_file_the_one_beside_the_package_holds(course):
    assert settings_file()[0] == ROOT / 'settings.ini'


def test_the_recipe_and_the_example_of_help_have_the_same_guidance():
    "What the model was scored with is what it draws with, and what the command line shows."
    from diffcourse.commands.cli import app
    from diffcourse.train.recipe import Recipe

    assert Recipe().guidance == Settings().guidance
    shown = CliRunner().invoke(app, ['draw', '--help']).output
    assert f'--steps {Settings().steps} --guidance {Settings().guidance:g}' in ' '.join(shown.split())


def test_the_file_travels_with_the_package(course, tmp_path):
    "What setuptools puts into a wheel; and a package that lies as an installed one does."
    tomllib = pytest.importorskip('tomllib')  # Python 3.11
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))['tool']['setuptools']
    assert 'diffcourse.defaults' in project['packages']
    assert (ROOT / project['package-dir']['diffcourse.defaults'] / 'settings.ini').is_file()
    assert project['package-data']['diffcourse.defaults'] == ['settings.ini']

    heavy = shutil.ignore_patterns('doodle', 'weights', '__pycache__')
    shutil.copytree(ROOT / 'diffcourse', tmp_path / 'site/diffcourse', ignore=heavy)
    (tmp_path / 'site/diffcourse/defaults').mkdir()
    shutil.copy(ROOT / 'settings.ini', tmp_path / 'site/diffcourse/defaults')
    code = (
        'from diffcourse.base.settings import *; now = settings(); '
        'print(settings_file()[0], now == Settings(), now.guidance, now.seed, now.steps)'
    )
    environment = {**os.environ, 'PYTHONPATH': str(tmp_path / 'site')}
    run = [sys.executable, '-c', code]
    r = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True)
    here = Settings()
    expected = [str(tmp_path / 'site/diffcourse/defaults/settings.ini'), 'True']
    assert r.stdout.split() == [*expected, f'{here.guidance}', f'{here.seed}', f'{here.steps}'], r.stderr


@pytest.mark.parametrize(
    'text', ['', '[DEFAULT]\nsteps = 3\n', '[other]\nsteps = 3\n', '[Course]\nsteps = 3\n']
)
def test_a_file_of_another_project_is_passed_over(course, tmp_path, monkeypatch, text):
    course('[course]\nsteps = 12\n')
    course(text, 'inner/project')
    monkeypatch.chdir(tmp_path / 'inner/project')
    assert settings_file()[0] == tmp_path / 'settings.ini'
    assert settings().steps == 12


def test_the_nearest_file_wins(course, tmp_path, monkeypatch):
    course('[course]\nsteps = 12\nseed = 4\n')
    course('[course]\nsteps = 7\n', 'inner')
    monkeypatch.chdir(tmp_path / 'inner')
    assert settings().steps == 7
    assert settings().seed == 0  # files are not merged


def test_a_folder_of_that_name_is_passed_over(course, tmp_path):
    (tmp_path / 'settings.ini').mkdir()
    assert settings_file()[0] == ROOT / 'settings.ini'


def test_arguments_environment_file_defaults(course, monkeypatch):
    course('[course]\nsteps = 12\nguidance = 5\n')
    assert (settings().steps, settings().guidance) == (12, 5)
    monkeypatch.setenv('DIFFCOURSE_STEPS', '20')
    assert settings().steps == 20
    assert settings(steps=30).steps == 30
    assert settings(steps=None).steps == 20  # None means: not given


def test_empty_is_not_given(course, monkeypatch):
    course('[course]\nsteps =\nmodel =   \n')
    monkeypatch.setenv('DIFFCOURSE_SEED', '')
    assert settings() == Settings()


def test_an_edited_file_is_read_again(course):
    file = course('[course]\nsteps = 12\n')
    assert settings().steps == 12
    time.sleep(0.01)
    file.write_text('[course]\nsteps = 24\n')
    assert settings().steps == 24


@pytest.mark.parametrize(
    'text, value', [('a%b', 'a%b'), ('%(home)s', '%(home)s'), ('${x}', '${x}'), ('a # b', 'a # b')]
)
def test_signs_in_a_value_are_plain_text(course, text, value):
    course(f'[course]\nmodel = {text}\n')
    assert settings().model == value


def test_names_are_read_in_any_case(course):
    course('[course]\nSteps = 9\n')
    assert settings().steps == 9


def test_home(course, tmp_path, monkeypatch):
    assert settings().home.is_absolute()
    monkeypatch.setenv('HOME', str(tmp_path))
    assert settings(home='~/data').home == tmp_path / 'data'
    assert settings(home=tmp_path).home == tmp_path
    assert isinstance(Settings(home='here').home, Path)


@pytest.mark.parametrize(
    'line, said',
    [
        ('steps = many', ["steps is 'many'", 'a whole number']),
        ('steps = 2.5', ["steps is '2.5'", 'a whole number']),
        ('steps = 0', ['steps is 0', 'at least 1']),
        ('steps = -3', ['steps is -3', 'at least 1']),
        ('seed = -1', ['seed is -1', 'from 0']),
        ('seed = 9223372036854775808', ['seed is 9223372036854775808', 'from 0']),
        ('guidance = strong', ["guidance is 'strong'", 'a number']),
        ('guidance = nan', ['guidance is nan', 'finite']),
        ('guidance = inf', ['guidance is inf', 'finite']),
        ('stepz = 3', ['no setting is called stepz', 'did you mean steps?']),
        ('colour = red', ['no setting is called colour', 'there are model, device']),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_line(course, line, said):
    file = course(f'[course]\n{line}\n')
    with pytest.raises(BadInput) as e:
        settings()
    text = str(e.value)
    assert '\n' not in text and all(part in text for part in said), text
    if 'no setting' in text or 'expected a' in text and "'" in text:
        assert str(file) in text


@pytest.mark.parametrize(
    'text',
    [
        'steps = 3\n',
        '[course\nsteps = 3\n',
        '[course]\nsteps\n',
        '[course]\nsteps=1\nsteps=2\n',
        b'[course]\nmodel = \xff\n',
    ],
)
def test_a_file_that_is_no_ini_is_said_in_one_line(course, text):
    file = course(text)
    with pytest.raises(CourseError) as e:
        settings()
    assert '\n' not in str(e.value) and str(e.value).startswith(f"can't read {file}: ")


def test_the_environment_is_named_when_it_is_wrong(course, monkeypatch):
    monkeypatch.setenv('DIFFCOURSE_STEPS', 'many')
    with pytest.raises(BadInput, match="steps is 'many' in DIFFCOURSE_STEPS"):
        settings()


@pytest.mark.parametrize(
    'wrong', [dict(steps=2.5), dict(steps='x'), dict(seed=True, steps=0), dict(seeds=3), dict(guidance=[])]
)
def test_arguments_that_can_not_be(course, wrong):
    with pytest.raises(BadInput):
        settings(**wrong)


def test_settings_are_frozen(course):
    with pytest.raises(AttributeError):
        Settings().steps = 3
