"""Rules over the whole repository, found by reading its files; hardly anything here is a list that someone
has to keep. The folder of a notebook is the floor of its module: it may import from lower folders, and from
earlier modules of its own."""

import ast
import json
import re
import subprocess
import sys
import shutil
from functools import cache

import pytest

from conftest import ROOT
from diffcourse.quiz.core.folder import quiz_files
from house import (
    DATA,
    HAND_WRITTEN,
    LESSONS,
    NBS,
    PACKAGE,
    default_exp,
    each_notebook,
    files,
    here,
    imports,
    module_file,
    modules,
    notebook,
)

# ------------------------------------------------------------------------------------------------- floors

# the engine's own floors, from below
QUIZ = ('probe', 'ground', 'kinds', 'core', 'author', 'sandbox', 'free', 'classroom', 'formats', 'faces')
QUIZ_MAY_USE = {'base.errors', 'base.files', 'base.settings', 'base.images', 'base.show'}  # of the course
MAY_USE_QUIZ = {'8_experiments', '9_commands'}  # and the front door
LOOKED_UP = {
    'quiz.probe.registry': {'experiments'},
    'quiz.probe.runs': {'models.load', 'pipeline.trust'},
    'quiz.sandbox.inputs': {'maths.schedule'},
    'quiz.author.refs': {'_modidx'},
}


@cache
def front_door():
    "Names that the package itself offers."
    return set(re.findall(r"'(\w+)': '", (PACKAGE / '__init__.py').read_text()))


@cache
def packages():
    "Names of the packages: base, quiz, quiz.core …"
    parents = {m.rpartition('.')[0] for m in modules()}
    return parents | {p.rpartition('.')[0] for p in parents} - {''}


def floor(place):
    "How high a module stands, among those of the course or of the engine."
    return QUIZ.index(place.folder[5:]) if place.in_quiz else int(place.folder[0])


def why_not(name, below):
    "Why the module `name` may not import the module `below`, and what to do; '' if it may."
    one, other = modules()[name], modules()[below]
    if one.folder == other.folder:
        fine = other.number < one.number
        why = (
            f'{below} stands later in {one.folder}; give {here(one.notebook)} a higher number than '
            f'{other.number}, or move what both need to an earlier module'
        )
    elif one.in_quiz and not other.in_quiz:
        fine = below in QUIZ_MAY_USE
        why = (
            f'of the course, the quiz engine knows only {", ".join(sorted(QUIZ_MAY_USE))}; hand it over as '
            'an argument, or register it from an experiment'
        )
    elif other.in_quiz and not one.in_quiz:
        fine = one.folder in MAY_USE_QUIZ
        why = (
            f'only {", ".join(sorted(MAY_USE_QUIZ))} and the front door import the quiz engine; move this '
            'to an experiment'
        )
    else:
        fine = floor(other) < floor(one)
        why = (
            f'nbs/{other.folder} lies above nbs/{one.folder}; move what is needed to a lower folder, or '
            f'{name} to a higher one'
        )
    return '' if fine else why


def test_folders_are_known():
    for p in modules().values():
        assert not p.in_quiz or p.folder[5:] in QUIZ, (
            f'{here(p.notebook)}: nbs/{p.folder} is no floor of the engine; add it to QUIZ in '
            f'{here(__file__)}'
        )
    folders = {p.folder for p in modules().values() if not p.in_quiz}
    assert len(folders) == len({f[0] for f in folders}), (
        f'two folders of nbs/ begin with the same digit: {sorted(folders)}; renumber one'
    )


def test_numbers_in_a_folder_differ():
    seen = {}
    for m, p in modules().items():
        other = seen.setdefault(p[:2], m)
        assert other == m, (
            f'{here(p.notebook)} has the number of {here(modules()[other].notebook)}; which comes first? '
            'Renumber one, numbers between two tens are free'
        )


@pytest.mark.parametrize('name', modules())
def test_imports_go_down(name):
    where = here(module_file(name))
    for line, to in imports(module_file(name)):
        if to == 'diffcourse':  # for its path or version, not for its names
            after = module_file(name).read_text().split('\nimport diffcourse\n')[-1]
            used = set(re.findall(r'(?<![\w.\'"/])diffcourse\.(\w+)', after))
            assert not used & front_door(), (
                f'{where}:{line} imports the front door ({", ".join(used & front_door())}); import from '
                f'the module, {here(PACKAGE / "__init__.py")} says which'
            )
        if not to.startswith('diffcourse.'):
            continue
        below = to.removeprefix('diffcourse.')
        if below in modules():
            why = why_not(name, below)
            assert not why, f'{where}:{line}: {name} imports {below}: {why}'
        elif '.' not in below and below not in packages() and below != '__version__':
            raise AssertionError(
                f'{where}:{line} imports {below} by the front door; import from its module, '
                f'{here(PACKAGE / "__init__.py")} says which'
            )


def test_what_the_engine_looks_up_by_name():
    """What the engine may not import, it can still ask for by name when it is needed. Those places are
    few, and written down."""
    found = {}
    for name, place in modules().items():
        if not place.in_quiz:
            continue
        for n, text in enumerate(module_file(name).read_text().splitlines(), 1):
            for to in re.findall(r"""import_module\(f?['"]diffcourse\.([\w.]+)""", text):
                if to.split('.')[0] == 'quiz':
                    continue
                found.setdefault(name, set()).add(to)
                cure = f'hand it over as an argument, or write it down in LOOKED_UP of {here(__file__)}'
                assert to in LOOKED_UP.get(name, ()), (
                    f'{here(module_file(name))}:{n}: {name} looks {to} up by name; {cure}'
                )
    assert found == LOOKED_UP, (
        f'LOOKED_UP in {here(__file__)} names what is not looked up any more: {LOOKED_UP} against {found}'
    )


# What each folder may lean on besides Python itself.
_ground = {'torch', 'numpy', 'PIL', 'safetensors', 'platformdirs', 'tqdm'}
_models = _ground | {'diffusers', 'transformers', 'tokenizers', 'huggingface_hub'}
_quiz = _ground | {'pydantic', 'pydantic_core', 'ruamel', 'fsrs', 'joblib'}
_views = {'ipywidgets', 'anywidget', 'traitlets', 'IPython'}
_terminal = {'rich', 'typer'}
THIRD_PARTY = {
    0: _ground,
    1: _ground,
    2: _ground,
    3: _models,
    4: _models,
    5: _models | {'accelerate'},
    6: _models,
    7: _ground | _views | {'matplotlib'},
    8: _models | {'pydantic'},
    9: _models | _terminal,
}


@pytest.mark.parametrize('name', modules())
def test_third_party_fits_the_floor(name):
    place = modules()[name]
    if place.folder == 'quiz/faces':
        may = _quiz | _views | _terminal
    elif place.in_quiz:
        may = _quiz
    else:
        may = THIRD_PARTY[floor(place)]
    for line, to in imports(module_file(name)):
        top = to.split('.')[0]
        ok = top == 'diffcourse' or top in sys.stdlib_module_names or top in may
        assert ok, (
            f'{here(module_file(name))}:{line}: {top} is not for nbs/{place.folder}, which may use '
            f'{", ".join(sorted(may))}; move what needs it to a folder that may'
        )


def test_module_and_package_do_not_share_a_name():
    both = packages() & modules().keys()
    assert not both, f'both a module and a package: {both}'


# ------------------------------------------------------------------------------------------ generated code


def test_no_orphans():
    "Each module has its notebook: nbdev never deletes one whose notebook is gone."
    for p in PACKAGE.rglob('*.py'):
        rel = p.relative_to(PACKAGE)
        if p.name == '__init__.py' and rel.parent.parts:
            assert not p.read_text().strip(), f'{here(p)} is generated, and empty'
        elif p.name not in HAND_WRITTEN:
            assert '.'.join(rel.with_suffix('').parts) in modules(), f'{here(p)} has no notebook; delete it'
    for p in PACKAGE.iterdir():
        if p.is_dir() and p.name not in DATA | {'__pycache__'}:
            assert list(p.rglob('[!_]*.py')), f'{here(p)} holds no module; delete it'


@pytest.fixture(scope='session')
def exported(tmp_path_factory):
    "A fresh export of all notebooks, somewhere else."
    to = tmp_path_factory.mktemp('export')
    for name in ('pyproject.toml', 'settings.ini'):
        shutil.copy(ROOT / name, to)
    shutil.copytree(NBS, to / 'nbs', ignore=shutil.ignore_patterns('.*', 'images'))
    (to / 'diffcourse').mkdir()
    shutil.copy(PACKAGE / '__init__.py', to / 'diffcourse')
    r = subprocess.run(
        [sys.executable, '-c', 'from nbdev.doclinks import nbdev_export; nbdev_export()'],
        cwd=to,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert r.returncode == 0, r.stdout[-2000:] + r.stderr[-2000:]
    return to


def test_modules_are_in_sync_with_notebooks(exported):
    fresh = exported / 'diffcourse'
    stale = [
        m
        for m in modules()
        if module_file(m).read_text() != (fresh / module_file(m).relative_to(PACKAGE)).read_text()
    ]
    assert not stale, f'run `make export`: {", ".join(stale)} differ from their notebooks'
    assert (PACKAGE / '_modidx.py').read_text() == (fresh / '_modidx.py').read_text(), (
        'run `make export`: diffcourse/_modidx.py is stale'
    )


def test_readme_is_in_sync_with_the_front_notebook():
    r = subprocess.run([sys.executable, ROOT / 'docs/readme.py', '--check'], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr


def test_ruff():
    command = [sys.executable, '-m', 'ruff', 'check', '--no-cache', '--output-format=concise']
    parts = ['diffcourse', 'nbs', 'docs', 'tests', 'benchmarks']
    r = subprocess.run([*command, *parts], cwd=ROOT, capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr


def public_definitions(node):
    "Public functions and classes in a module or in a class."
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [o for o in node.body if isinstance(o, kinds) and not o.name.startswith('_')]


def said_once():
    "Methods that every kind of question has: `Question` says what they do, the kinds override them."
    base = ast.parse(module_file('quiz.kinds.base').read_text())
    question = next(o for o in public_definitions(base) if o.name == 'Question')
    return {x.name for x in public_definitions(question) if ast.get_docstring(x)}


def test_public_names_have_docstrings():
    missing = []
    for m in modules():
        known = said_once() if m.startswith('quiz.kinds.') and m != 'quiz.kinds.base' else ()
        for o in public_definitions(ast.parse(module_file(m).read_text())):
            if not ast.get_docstring(o):
                missing.append(f'{m}.{o.name}')
            if isinstance(o, ast.ClassDef):
                methods = [x for x in public_definitions(o) if x.name not in known]
                bare = [x.name for x in methods if not ast.get_docstring(x)]
                missing += [f'{m}.{o.name}.{name}' for name in bare]
    assert not missing, f'no docstring: {", ".join(missing)}'


PICKLES = {'pickle', 'cPickle', 'dill', 'joblib.load', 'joblib.dump', 'shelve', 'marshal'}


def test_no_pickle_in_code():
    for p in files():
        if p.suffix == '.py' and p.is_relative_to(PACKAGE):
            imported = {to for _, to in imports(p)} & PICKLES
            called = re.search(r'\b(torch\.(load|save)|joblib\.(load|dump))\(', p.read_text())
            assert not imported and not called, f'{here(p)}: weights and records are safetensors and JSON'


# ---------------------------------------------------------------------------------------------- notebooks


def staged(path):
    """What git would commit of a file, or the file itself outside a checkout: learners may save outputs in
    their lessons, the repository holds none."""
    r = subprocess.run(['git', 'show', f':{here(path)}'], cwd=ROOT, capture_output=True)
    return r.stdout if r.returncode == 0 else path.read_bytes()


@each_notebook
def test_notebook_is_clean(path):
    text = staged(path)
    nb = json.loads(text)
    assert len(text) <= 100_000, f'{here(path)} has {len(text):,} bytes; at most 100,000'
    assert 'widgets' not in nb['metadata'], f'{here(path)} holds widget state; run `make clean`'
    for i, c in enumerate(nb['cells']):
        assert not c.get('outputs') and not c.get('execution_count'), (
            f'{here(path)}, cell {i} holds outputs; run `make clean`'
        )
        assert 'attachments' not in c, (
            f'{here(path)}, cell {i} holds an attachment; put pictures into nbs/images'
        )


@each_notebook
def test_notebook_imports_are_plain(path):
    for i, c in enumerate(notebook(path)['cells']):
        if c['cell_type'] != 'code':
            continue
        assert not re.search(r'^\s*from\s+\S+\s+import\s+\*', c['source'], re.M), (
            f'{here(path)}, cell {i}: star import; name what you need'
        )


@each_notebook
def test_notebook_begins_with_its_name_and_a_sentence(path):
    first = notebook(path)['cells'][0]['source'].strip().splitlines()
    assert first[0].startswith('# '), f'{here(path)}: the first cell begins with `# title`'
    assert any(s.startswith('> ') for s in first), f'{here(path)}: the first cell has a line `> one sentence`'
    if name := default_exp(path):
        assert first[0] == f'# {name}', f'{here(path)}: the title is the module, `# {name}`'


@pytest.mark.parametrize('path', LESSONS, ids=here)
def test_lessons_export_nothing(path):
    for i, c in enumerate(notebook(path)['cells']):
        assert c['cell_type'] != 'code' or not re.search(r'^#\|\s*(export|default_exp)', c['source'], re.M), (
            f'{here(path)}, cell {i} exports'
        )


def test_each_lesson_has_its_questionnaire():
    lessons, quizzes = {p.stem for p in LESSONS}, {p.stem for p in quiz_files(ROOT / 'quizzes')}
    assert lessons and lessons == quizzes, (
        f'lessons without questionnaire: {lessons - quizzes}; questionnaires without lesson: '
        f'{quizzes - lessons}'
    )
    for p in LESSONS:
        last = [c['source'] for c in notebook(p)['cells'] if c['cell_type'] == 'code'][-1]
        assert f"Quiz('{p.stem}')" in last.replace('"', "'"), f'{here(p)} does not end in its questionnaire'
