"""Build the site: python docs/build.py [--out _site] [--workers 2]

Notebooks are run (unchanged ones come from .cache/site), rewritten for Sphinx, and joined by the pages of
pages.py. The browser scripts of widgets and formulas are fetched once with npm and travel with the site, so
reading it needs no network."""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from fnmatch import fnmatch
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import pages  # noqa: E402
from claims import all_claims, claims_page  # noqa: E402
from glossary import glossary_page, read_glossary  # noqa: E402
from notebooks import (
    CACHE,
    QUIETLY,
    ROOT,
    Failed,
    Site,
    about,
    adapt,
    anchor,
    definitions,
    directives,
    execute,
    heading,
    module,
    read,
)  # noqa: E402

NPM = {
    'html-manager': ('@jupyter-widgets/html-manager@1.0.15', 'package/dist/'),
    'mathjax': ('mathjax@3.2.2', 'package/es5/'),
}
WANTED = {
    'html-manager': lambda n: n == 'embed.js' or n.endswith(('.woff', '.woff2', '.ttf', '.eot', '.svg')),
    'mathjax': lambda n: n == 'tex-chtml-full.js' or n.startswith('output/chtml/fonts/woff-v2/'),
    'axe': lambda n: n == 'axe.min.js',
}
TOOLS = {'axe': ('axe-core@4.10.3', 'package/')}  # for the tests, not for the site


def fetch(name):
    "Folder with the files of the npm package `name` that the site needs, fetched on first use."
    spec, inside = (NPM | TOOLS)[name]
    folder = ROOT / '.cache/npm' / spec.replace('/', '+')
    if folder.exists():
        return folder
    if not shutil.which('npm'):
        raise Failed(
            f'the site needs {spec} from npm, and npm is not installed; on Debian and Ubuntu: apt-get '
            'install npm'
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    r = subprocess.run(
        ['npm', 'pack', '--silent', spec], cwd=folder.parent, capture_output=True, text=True, timeout=300
    )
    if r.returncode:
        raise Failed(f'npm pack {spec} failed: {(r.stderr.strip().splitlines() or ["no message"])[-1]}')
    pack, part = folder.parent / r.stdout.split()[-1], folder.with_name(folder.name + '.part')
    shutil.rmtree(part, ignore_errors=True)
    with tarfile.open(pack) as tar:
        for m in tar.getmembers():
            rel = m.name.removeprefix(inside)
            if not m.isfile() or not m.name.startswith(inside) or not WANTED[name](rel) or '..' in rel:
                continue
            (part / rel).parent.mkdir(parents=True, exist_ok=True)
            (part / rel).write_bytes(tar.extractfile(m).read())
    part.rename(folder)
    pack.unlink()
    return folder


def page_of(path, nb):
    """The page of a notebook: lessons keep their name, reference pages are called like their module, a
    page about writing questionnaires stands beside them."""
    rel = path.relative_to(ROOT / 'nbs')
    if rel.parts[0] == 'lessons':
        return str(rel.with_suffix(''))
    if rel.parts[0] == 'quiz' and not module(nb):
        return f'quizzes/{rel.stem[3:]}'
    return f'reference/{module(nb)}' if module(nb) else str(rel.with_suffix(''))


def survey(only='*'):
    "Notebooks whose names, or paths in nbs/, fit the pattern `only`: path -> (page, content)."
    found = {}
    for p in sorted((ROOT / 'nbs').rglob('*.ipynb')):
        rel = p.relative_to(ROOT / 'nbs').with_suffix('')
        if any(part.startswith(('.', '_')) for part in rel.parts):
            continue
        if not fnmatch(rel.name, only) and not fnmatch(str(rel), only):
            continue
        nb = read(p)
        found[p] = page_of(p, nb), nb
    return found


def site_of(found, quizzes):
    "What can be linked to."
    to = {str(p.relative_to(ROOT)): page for p, (page, _) in found.items()}
    to |= {str(q.relative_to(ROOT)): f'quizzes/{q.stem}' for q in quizzes}
    to['quizzes/map.yaml'] = 'quizzes/map'
    to['docs/glossary.yaml'] = 'glossary'
    names = {}
    for _, nb in found.values():
        mod = module(nb)
        for c in nb['cells']:
            if not mod or c['cell_type'] != 'code':
                continue
            d, code = directives(c['source'])
            if not d.keys() & {'export', 'exports'}:
                continue
            for n in definitions(code):
                for name in (n, f'{mod}.{n}'):
                    names.setdefault(name, {})[mod] = anchor(mod, n)
    return Site(to, names)


def run_all(found, workers):
    "Execute what changed, `workers` at a time. Returns path -> executed notebook."
    runs, broken = {}, []
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
        jobs = {pool.submit(execute, p): p for p in found}
        for j in as_completed(jobs):
            try:
                runs[jobs[j]], took = j.result()
            except Failed as e:
                broken.append(str(e))
                continue
            if took:
                print(f'  ran {jobs[j].relative_to(ROOT)} in {took:.0f} s', file=sys.stderr, flush=True)
    if broken:
        raise Failed('\n'.join(broken) + f'\n{len(broken)} of {len(found)} notebooks did not run')
    return runs


def digest(*paths):
    return hashlib.sha256(b''.join(hashlib.sha256(p.read_bytes()).digest() for p in paths)).hexdigest()[:20]


VIEWS = ('7_', '9_')  # folders that nothing measured depends on


def code(*folders):
    "Modules of these folders of nbs/."
    found = []
    for folder in folders:
        package = ROOT / 'diffcourse' / re.sub(r'^\d_', '', folder)
        notebooks = sorted((ROOT / 'nbs' / folder).glob('[0-9][0-9]_*.ipynb'))
        found += [package / f'{p.stem[3:]}.py' for p in notebooks if module(read(p))]
    return found


def engine():
    "Folders of the quiz engine."
    folders = [p.name for p in (ROOT / 'nbs/quiz').iterdir() if p.is_dir()]
    return sorted(f'quiz/{name}' for name in folders if not name.startswith('.'))


def course():
    """Folders that a measurement can depend on: the floors without views and commands, and what runs the
    probes."""
    floors = sorted(p.name for p in (ROOT / 'nbs').glob('[0-9]_*'))
    return [name for name in floors if not name.startswith(VIEWS)] + ['quiz/probe']


MEASURE = """import sys
from diffcourse.base.errors import CourseError
from diffcourse.quiz.formats.kit import write_kit
try: write_kit(*sys.argv[1:])
except CourseError as e: sys.exit(str(e))"""


def measured():
    """Where measurements are kept, by the hash of all that they lean on; older ones are thrown away. The
    tests that lint questionnaires live share it."""
    weights = sorted((ROOT / 'diffcourse').rglob('*.safetensors'))
    home = CACHE / 'measured' / digest(*code(*course()), *weights)
    home.mkdir(parents=True, exist_ok=True)
    for old in home.parent.iterdir():
        if old != home:
            shutil.rmtree(old, ignore_errors=True)
    return home


def kit_of(quiz):
    """What the page of a questionnaire marks by, as text: measured in a process of its own, and kept by
    the hash of all it depends on."""
    home = measured()
    out = CACHE / 'kit' / f'{quiz.stem}.{digest(quiz, *code(*engine()))[:10]}{home.name[:10]}.json'
    if out.exists():
        return out.read_text(encoding='utf-8')
    out.parent.mkdir(parents=True, exist_ok=True)
    began = time.time()
    r = subprocess.run(
        [sys.executable, '-c', MEASURE, str(quiz), str(out)],
        cwd=ROOT,
        env={**os.environ, **QUIETLY, 'DIFFCOURSE_HOME': str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    if r.returncode:
        raise Failed(f'{quiz.name}: {(r.stderr.strip().splitlines() or ["no message"])[-1]}')
    for old in out.parent.glob(f'{quiz.stem}.{"[0-9a-f]" * 20}.json'):
        if old != out:
            old.unlink()
    print(f'  measured {quiz.name} in {time.time() - began:.0f} s', file=sys.stderr, flush=True)
    return out.read_text(encoding='utf-8')


HERO = """
:::::{{container}} hero
::::{{container}} hero-words
{lead}

[{first}]({start}){{.button .first}}
[Questionnaires](quizzes/index.md){{.button}}
[Reference](reference/index.md){{.button}}
::::
![Forty-eight of the drawings that the course's model learns from](_static/wall.png)
:::::
"""


def front(found, runs, site, src, lessons):
    "index: the front notebook behind a hero, with the table of contents at its end."
    tree = pages.toctree(['lessons/index', 'quizzes/index', 'reference/index', 'glossary'], hidden='')
    start = f'lessons/{next(iter(lessons))}.ipynb' if lessons else 'lessons/index.md'
    first = 'Start with the first lesson' if lessons else 'Lessons'
    path = ROOT / 'nbs/index.ipynb'
    if path not in found:
        lead = 'Stable Diffusion, opened up, running live on a laptop.'
        hero = HERO.format(lead=lead, start=start, first=first)
        (src / 'index.md').write_text(f'# diffcourse\n{hero}{tree}', encoding='utf-8')
        return
    nb = adapt(runs[path], 'nbs/index.ipynb', site)
    _, says = heading(found[path][1])
    top, _, rest = nb['cells'][0]['source'].partition(':::{container} lead')
    rest = rest.partition('\n:::\n')[2] if rest else ''
    nb['cells'][0]['source'] = top + HERO.format(lead=says, start=start, first=first) + rest
    nb['cells'].append(dict(cell_type='markdown', id='contents', metadata={}, source=tree))
    (src / 'index.ipynb').write_text(json.dumps(nb), encoding='utf-8')


def write_source(found, runs, quizzes, src, kits):
    "Everything Sphinx reads, into the folder `src`. `kits`: questionnaire -> what its page marks by."
    src.mkdir(parents=True)
    site = site_of(found, quizzes)
    lessons = {p.stem: heading(nb) for p, (page, nb) in found.items() if page.startswith('lessons/')}
    modules = sorted(
        (p.parent.relative_to(ROOT / 'nbs').as_posix(), p.name, module(nb), heading(nb)[1])
        for p, (page, nb) in found.items()
        if page.startswith('reference/')
    )
    times = {p.stem: read(runs[p])['metadata'].get('seconds') for p in found if p.stem in lessons}
    pages.write_lessons(src, lessons, {stem: about(s) for stem, s in times.items() if s is not None})
    guides = [
        (*heading(nb), f'{page[8:]}.ipynb') for page, nb in found.values() if page.startswith('quizzes/')
    ]
    pages.write_quizzes(src, quizzes, {s: t for s, (t, _) in lessons.items()}, kits, guides)
    pages.write_reference(src, [(folder, m, says) for folder, _, m, says in modules])
    claims = {lesson: found for lesson, found in all_claims().items() if lesson[0] in lessons}
    (src / 'lessons/claims.md').write_text(claims_page(claims), encoding='utf-8')
    (src / 'glossary.md').write_text(glossary_page(read_glossary(), site.names), encoding='utf-8')
    for p, (page, _) in found.items():
        if page == 'index':
            continue
        (src / page).parent.mkdir(parents=True, exist_ok=True)
        (src / f'{page}.ipynb').write_text(
            json.dumps(adapt(runs[p], str(p.relative_to(ROOT)), site)), encoding='utf-8'
        )
    front(found, runs, site, src, lessons)
    pictures = ('.png', '.svg', '.gif', '.jpg', '.webp')  # that notebooks show
    for f in (ROOT / 'nbs').rglob('*'):
        if f.suffix in pictures and '.ipynb_checkpoints' not in f.parts:
            copy = src / f.relative_to(ROOT / 'nbs')
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(f, copy)
    static = src / '_static'
    shutil.copytree(ROOT / 'docs/static', static)
    for name in NPM:
        shutil.copytree(fetch(name), static / name)
    for f in pages.FACE:
        shutil.copy2(ROOT / 'diffcourse/quiz/formats' / f, static)
    pages.wall(static / 'wall.png')
    shutil.copy2(ROOT / 'docs/conf.py', src)


def build(out, workers=2, only='*'):
    "The whole site, into the folder `out`."
    from diffcourse.quiz.core.folder import quiz_files

    began, found = time.time(), survey(only)
    quizzes = quiz_files(ROOT / 'quizzes')
    for name in NPM:
        fetch(name)
    print(f'{len(found)} notebooks, {len(quizzes)} questionnaires', file=sys.stderr, flush=True)
    runs = run_all(found, workers)
    wanted = [q for q in quizzes if fnmatch(q.stem, only)]
    with ThreadPoolExecutor(workers) as pool:
        kits = dict(zip([q.stem for q in wanted], pool.map(kit_of, wanted)))
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        src, fresh = Path(work) / 'src', Path(work) / 'html'
        write_source(found, runs, quizzes, src, kits)
        sphinx = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-b', 'html']
        folders = ['-d', f'{work}/doctrees', str(src), str(fresh)]
        r = subprocess.run([*sphinx, *folders], env={**os.environ, 'PYTHONWARNINGS': 'ignore'})
        if r.returncode:
            raise Failed(f'Sphinx stopped with status {r.returncode}; its messages are above')
        for junk in ('.buildinfo', 'objects.inv'):
            (fresh / junk).unlink(missing_ok=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(fresh, out)
    print(f'{out}/index.html  ({time.time() - began:.0f} s)')


if __name__ == '__main__':
    args = argparse.ArgumentParser(description='Build the site.')
    args.add_argument('--out', type=Path, default=ROOT / '_site', help='folder to write (default: _site)')
    args.add_argument('--workers', type=int, default=2, help='notebooks run at a time (default: 2)')
    args.add_argument(
        '--only', default='*', help="part of the site, for a quick look: '03_*' or '1_maths/*' (default: all)"
    )
    args.add_argument('--run', action='store_true', help='run the notebooks and build nothing')
    args = args.parse_args()
    try:
        if args.run:
            run_all(survey(args.only), args.workers)
        else:
            build(args.out.resolve(), args.workers, args.only)
    except Failed as e:
        sys.exit(f'site not built: {e}')
