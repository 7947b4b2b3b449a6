"""Rules over the whole repository, read off the files themselves: next to nothing here is a list that someone
has to keep. The folder of a notebook is the floor of its module: it may import from lower folders, and from
earlier modules of its own."""

import ast
import configparser
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from conftest import ROOT
from diffcourse.quiz.core.folder import quiz_files

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib  # Python 3.10

PACKAGE, NBS = ROOT / 'diffcourse', ROOT / 'nbs'
HAND_WRITTEN = {'__init__.py', '__main__.py', '_modidx.py'}  # nbdev writes the second one
DATA = {'doodle', 'weights'}  # folders of the package without code
MB = 2**20


def here(path):
    return str(Path(path).relative_to(ROOT))


@cache
def files():
    """All files of the repository: what git tracks or would track; without git, everything outside of
    ignored folders."""
    git = shutil.which('git') and subprocess.run(
        ['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=ROOT, capture_output=True, text=True
    )
    if git and git.returncode == 0 and git.stdout:
        return [p for n in sorted(set(git.stdout.split('\0'))) if n and (p := ROOT / n).is_file()]
    ignored = {s.strip('/\n') for s in (ROOT / '.gitignore').read_text().split()} | {'.git'}

    def skip(part):
        return part in ignored or part.endswith('.egg-info')

    return [
        p for p in sorted(ROOT.rglob('*')) if p.is_file() and not any(map(skip, p.relative_to(ROOT).parts))
    ]


@cache
def notebook(path):
    nb = json.loads(path.read_text(encoding='utf-8'))
    for c in nb['cells']:
        c['source'] = ''.join(c['source'])
    return nb


NOTEBOOKS = [
    p
    for p in sorted(NBS.rglob('*.ipynb'))
    if not any(part.startswith(('.', '_')) for part in p.relative_to(NBS).parts)
]
LESSONS = [p for p in NOTEBOOKS if p.parent.name == 'lessons']
each_notebook = pytest.mark.parametrize('path', NOTEBOOKS, ids=here)


def default_exp(path):
    found = [
        m[1]
        for c in notebook(path)['cells']
        if c['cell_type'] == 'code' and (m := re.match(r'\s*#\|\s*default_exp\s+(\S+)', c['source']))
    ]
    assert len(found) < 2, f'{here(path)} has two default_exp cells'
    return found[0] if found else None


class Place(NamedTuple):
    "Where a module stands: nbs/FOLDER/NUMBER_name.ipynb."

    folder: str  # Such as '1_maths' or 'quiz/core'
    number: int  # Order inside of the folder
    notebook: Path

    @property
    def in_quiz(self):
        return self.folder.startswith('quiz/')


def module_of(path):
    "The name that a notebook's place gives its module: without the numbers."
    folders = path.parent.relative_to(NBS).parts
    return '.'.join([*(re.sub(r'^\d_', '', f) for f in folders), path.stem[3:]])


@cache
def modules():
    "module -> its place, for notebooks that export."
    found = {}
    for p in NOTEBOOKS:
        if not (m := default_exp(p)):
            continue
        folder = '/'.join(p.parent.relative_to(NBS).parts)
        assert re.fullmatch(r'\d_[a-z]+|quiz/[a-z]+', folder), (
            f'{here(p)} exports, so it stands on a floor: move it to a folder such as nbs/1_maths or '
            'nbs/quiz/core'
        )
        assert re.match(r'\d\d_', p.name), (
            f'{here(p)} exports, so its name begins with two digits, its place among those of its folder: '
            f'rename it to NN_{p.name}'
        )
        assert m not in found, f'{here(p)} and {here(found[m].notebook)} both write {m}: rename one'
        assert m == module_of(p), (
            f'{here(p)} writes the module {m}; there it is {module_of(p)}: change its default_exp and its '
            'title, or move it'
        )
        found[m] = Place(folder, int(p.name[:2]), p)
    return found


def module_file(m):
    return PACKAGE / (m.replace('.', '/') + '.py')


def imports(path):
    """Everything a module imports, anywhere in it: (line, absolute dotted name). Names out of a module
    count as the module."""
    package = ['diffcourse', *path.relative_to(PACKAGE).parent.parts]
    for o in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(o, ast.Import):
            yield from ((o.lineno, a.name) for a in o.names)
        if isinstance(o, ast.ImportFrom):
            stem = (
                '.'.join(package[: len(package) - o.level + 1] + ([o.module] if o.module else []))
                if o.level
                else o.module
            )
            if stem != 'diffcourse':
                yield o.lineno, stem
            if stem.split('.')[0] == 'diffcourse':
                yield from ((o.lineno, f'{stem}.{a.name}') for a in o.names)


# ------------------------------------------------------------------------------------------------- floors

QUIZ = (
    'probe',
    'ground',
    'kinds',
    'core',
    'author',
    'sandbox',
    'free',
    'classroom',
    'formats',
    'faces',
)  # the engine's own floors, from below
QUIZ_MAY_USE = {'base.errors', 'base.files', 'base.settings', 'base.images', 'base.show'}  # of the course
MAY_USE_QUIZ = {'8_experiments', '9_commands'}  # and the front door
LOOKED_UP = {
    'quiz.probe.registry': {'experiments'},
    'quiz.probe.runs': {'models.load'},
    'quiz.sandbox.code': {'maths.schedule'},
    'quiz.author.refs': {'_modidx'},
}


@cache
def front_door():
    return set(re.findall(r"'(\w+)': '", (PACKAGE / '__init__.py').read_text()))


@cache
def packages():
    "Names of the packages: base, quiz, quiz.core …"
    parents = {m.rpartition('.')[0] for m in modules()}
    return parents | {p.rpartition('.')[0] for p in parents} - {''}


def floor(place):
    return QUIZ.index(place.folder[5:]) if place.in_quiz else int(place.folder[0])


def why_not(name, below):
    "Why the module `name` may not import the module `below`, and what to do; '' if it may."
    one, other = modules()[name], modules()[below]
    if one.folder == other.folder:
        cure = (
            f'give {here(one.notebook)} a higher number than {other.number}, or move what both need to an '
            'earlier module'
        )
        return '' if other.number < one.number else f'{below} stands later in {one.folder}; {cure}'
    if one.in_quiz and not other.in_quiz:
        may = ', '.join(sorted(QUIZ_MAY_USE))
        return (
            ''
            if below in QUIZ_MAY_USE
            else (
                f'of the course, the quiz engine knows only {may}; hand it over as an argument, or '
                'register it from an experiment'
            )
        )
    if other.in_quiz and not one.in_quiz:
        return (
            ''
            if one.folder in MAY_USE_QUIZ
            else (
                f'only {", ".join(sorted(MAY_USE_QUIZ))} and the front door import the quiz engine; move '
                'this to an experiment'
            )
        )
    lower = f'nbs/quiz/{other.folder[5:]}' if other.in_quiz else f'nbs/{other.folder}'
    return (
        ''
        if floor(other) < floor(one)
        else (
            f'{lower} lies above nbs/{one.folder}; move what is needed to a lower folder, or {name} to a '
            'higher one'
        )
    )


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
            used = set(
                re.findall(
                    r'(?<![\w.\'"/])diffcourse\.(\w+)',
                    module_file(name).read_text().split('\nimport diffcourse\n')[-1],
                )
            )
            assert not used & front_door(), (
                f'{where}:{line} imports the front door ({", ".join(used & front_door())}); import from '
                f'the module, {here(PACKAGE / "__init__.py")} says which'
            )
        if not to.startswith('diffcourse.'):
            continue
        below = to.removeprefix('diffcourse.')
        if below in modules():
            assert not (why := why_not(name, below)), f'{where}:{line}: {name} imports {below}: {why}'
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
    may = (
        (_quiz | _views | _terminal if place.folder == 'quiz/faces' else _quiz)
        if place.in_quiz
        else THIRD_PARTY[floor(place)]
    )
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
    stale = [
        m
        for m in modules()
        if module_file(m).read_text() != (exported / 'diffcourse' / (m.replace('.', '/') + '.py')).read_text()
    ]
    assert not stale, f'run `make export`: {", ".join(stale)} differ from their notebooks'
    assert (PACKAGE / '_modidx.py').read_text() == (exported / 'diffcourse/_modidx.py').read_text(), (
        'run `make export`: diffcourse/_modidx.py is stale'
    )


def test_readme_is_in_sync_with_the_front_notebook():
    r = subprocess.run([sys.executable, ROOT / 'docs/readme.py', '--check'], capture_output=True, text=True)
    assert r.returncode == 0, r.stdout + r.stderr


def test_ruff():
    r = subprocess.run(
        [
            sys.executable,
            '-m',
            'ruff',
            'check',
            '--no-cache',
            '--output-format=concise',
            'diffcourse',
            'docs',
            'tests',
            'benchmarks',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert r.returncode == 0, r.stdout + r.stderr


def test_public_names_have_docstrings():
    missing = []
    for m in modules():
        for o in ast.parse(module_file(m).read_text()).body:
            if not isinstance(o, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or o.name.startswith(
                '_'
            ):
                continue
            if not ast.get_docstring(o):
                missing.append(f'{m}.{o.name}')
            methods = (
                [x for x in o.body if isinstance(x, (ast.FunctionDef, ast.AsyncFunctionDef))]
                if isinstance(o, ast.ClassDef)
                else []
            )
            missing += [
                f'{m}.{o.name}.{x.name}'
                for x in methods
                if not x.name.startswith('_') and not ast.get_docstring(x)
            ]
    assert not missing, f'no docstring: {", ".join(missing)}'


def test_no_pickle_in_code():
    for p in files():
        if p.suffix == '.py' and p.is_relative_to(PACKAGE):
            bad = {to for _, to in imports(p)} & {
                'pickle',
                'cPickle',
                'dill',
                'joblib.load',
                'joblib.dump',
                'shelve',
                'marshal',
            }
            assert not bad and not re.search(
                r'\b(torch\.(load|save)|joblib\.(load|dump))\(', p.read_text()
            ), f'{here(p)}: weights and records are safetensors and JSON'


# ----------------------------------------------------------------------------------------------- settings


def test_settings_equal_pyproject():
    "nbdev reads pyproject.toml; settings.ini holds the same values for those who look there."
    ini = configparser.ConfigParser()
    ini.read(ROOT / 'settings.ini', encoding='utf-8')
    have, toml = dict(ini['DEFAULT']), tomllib.loads((ROOT / 'pyproject.toml').read_text())
    project, nbdev = toml['project'], toml['tool']['nbdev']
    want = {k: str(v) for k, v in nbdev.items()}
    want |= dict(
        lib_name=project['name'],
        version=project['version'],
        description=project['description'],
        keywords=' '.join(project['keywords']),
        min_python=project['requires-python'].lstrip('>='),
        license={'Apache-2.0': 'apache2'}[project['license']],
    )
    assert {k: have.get(k) for k in want} == want
    assert (
        set(have) - set(want) <= {'doc_host', 'doc_baseurl'}
        and not have.get('doc_host')
        and have.get('doc_baseurl', '/') == '/'
    )
    assert f'__version__ = "{project["version"]}"' in (PACKAGE / '__init__.py').read_text()
    assert ini.has_section('course')


def test_packages_are_all_listed():
    "Those of setuptools are written out, as lessons and questionnaires are mapped in; none may be forgotten."
    listed = set(tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['setuptools']['packages'])
    found = {'.'.join(p.parent.relative_to(ROOT).parts) for p in PACKAGE.rglob('__init__.py')}
    assert listed == found | {'diffcourse.quizzes', 'diffcourse.lessons'}


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


# ----------------------------------------------------------------------------------------------- tests


def marks_slow(text):
    "Is the whole file, or a function in it, marked slow?"
    for o in ast.parse(text).body:
        if (
            isinstance(o, ast.Assign)
            and ast.unparse(o.targets[0]) == 'pytestmark'
            and 'pytest.mark.slow' in ast.unparse(o.value)
        ):
            return True
        if any(ast.unparse(d) == 'pytest.mark.slow' for d in getattr(o, 'decorator_list', ())):
            return True
    return False


def test_what_is_slow_is_marked():
    """`make check` leaves out what is marked slow. Tests that open a browser, run notebooks, train, or
    lint live say so in their own file."""
    waits = re.compile(
        r"def \w+\(.*\b(browser|chromium|visit)\b|docs/build\.py|'train', 'doodle', '--quick'|'lint', "
        r"'--live'"
    )
    for p in sorted((ROOT / 'tests').rglob('test_*.py')):
        text = p.read_text(encoding='utf-8')
        if p == Path(__file__) or not waits.search(text):
            continue
        assert marks_slow(text), (
            f'{here(p)} waits for a browser, notebooks, training or a live run; mark what does with '
            'pytest.mark.slow'
        )


# -------------------------------------------------------------------------------------------------- files


def test_files_are_of_kinds_that_can_be_read():
    bad = [
        here(p)
        for p in files()
        if p.suffix in ('.pkl', '.pickle', '.pt', '.pth', '.ckpt', '.bin', '.joblib', '.npy', '.npz', '.h5')
    ]
    assert not bad, f'pickled or opaque files: {bad}; weights are safetensors'


def test_weights_are_small():
    def size(folder):
        return sum(p.stat().st_size for p in files() if p.is_relative_to(folder))

    assert size(PACKAGE / 'doodle') <= 26 * MB, (
        f'diffcourse/doodle has {size(PACKAGE / "doodle") / MB:.1f} MB; at most 26'
    )
    assert size(PACKAGE / 'weights') <= 8 * MB, (
        f'diffcourse/weights has {size(PACKAGE / "weights") / MB:.1f} MB; at most 8'
    )
    big = [here(p) for p in files() if p.suffix != '.safetensors' and p.stat().st_size > 1 * MB]
    assert not big, f'more than a megabyte: {big}'


def test_weights_are_half_precision():
    from safetensors import safe_open

    for p in (PACKAGE / 'doodle').rglob('*.safetensors'):
        with safe_open(p, 'pt') as f:
            kinds = {f.get_slice(k).get_dtype() for k in f.keys()}
        assert kinds <= {'F16', 'I64', 'I32'}, f'{here(p)} holds {kinds}; the shipped weights are float16'


def test_no_paths_of_somebodys_machine():
    own = re.compile(
        '|'.join(
            f'(?<![\\w.~/])/{d}/'
            for d in ('work', 'root', 'home/[a-z]\\w*', 'Users/[A-Za-z]\\w*', 'opt/pypi', 'opt/wheels')
        )
    )
    for p in files():
        if p.suffix in ('.safetensors', '.png', '.jpg', '.gif', '.webp', '.woff', '.woff2') or p == Path(
            __file__
        ):
            continue
        for i, line in enumerate(p.read_text(encoding='utf-8').splitlines(), 1):
            assert not own.search(line), f'{here(p)}:{i} holds a path of one machine: {line.strip()[:120]}'


def test_top_level_is_complete():
    for name in (
        'settings.ini pyproject.toml constraints.txt Makefile README.md CONTRIBUTING.md LICENSE .ci/run '
        'nbs diffcourse quizzes tests benchmarks'
    ).split():
        assert (ROOT / name).exists(), f'{name} is missing'
    assert 'Apache License' in (ROOT / 'LICENSE').read_text()
    help = (
        subprocess.run(['make', '-s', 'help'], cwd=ROOT, capture_output=True, text=True).stdout
        if shutil.which('make')
        else None
    )
    for target in 'setup lab check test export docs bench clean'.split():
        assert help is None or re.search(rf'^ *make {target} +\w', help, re.M), target
