"""How a notebook becomes a page of the site: it is run once, then its cells are rewritten for Sphinx (MyST).

nbdev's own pages need Quarto, which the package registries don't have. So the same is done here in two steps:
`execute` runs everything in a fresh kernel and keeps the run by the hash of all it depends on; `adapt` turns
cells and outputs into what MyST-NB understands, with an entry for each exported definition in front of its
folded source."""

import ast
import hashlib
import inspect
import json
import math
import os
import re
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / '.cache/site'
_directive = re.compile(r'^#\|\s*([\w-]+)\s*:?\s*(.*)$')
_export = {'export', 'exports', 'exporti'}


class Failed(Exception):
    "A notebook can't be shown; the message is for the person at the keyboard."


def directives(source):
    "The `#|` lines that begin a cell, as a dict, and the rest of its source."
    found, lines = {}, source.splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith('#|')):
        if m := _directive.match(lines.pop(0)):
            found[m[1]] = m[2].strip()
    return found, '\n'.join(lines).rstrip()


def read(path):
    "The notebook at `path`, its cells with one string each as source."
    nb = json.loads(Path(path).read_text(encoding='utf-8'))
    for c in nb['cells']:
        c['source'] = ''.join(c['source'])
    return nb


def heading(nb):
    "Title and one-sentence description from the first cell."
    lines = next((c['source'] for c in nb['cells'] if c['cell_type'] == 'markdown'), '').splitlines()
    title = next((s[2:].strip() for s in lines if s.startswith('# ')), '')
    return title, ' '.join(s.lstrip('> ').strip() for s in lines if s.startswith('>'))


def module(nb):
    "The module that a notebook writes, such as `train.loop`; empty for a lesson."
    return next(
        (
            d['default_exp']
            for d in (directives(c['source'])[0] for c in nb['cells'] if c['cell_type'] == 'code')
            if 'default_exp' in d
        ),
        '',
    )


def python_of(nb):
    """The Python in a notebook's code cells, cell by cell; cells in other languages and with magics are
    left out."""
    for c in nb['cells']:
        if c['cell_type'] != 'code':
            continue
        try:
            ast.parse(c['source'])
        except SyntaxError:
            continue
        yield c['source']


def definitions(source):
    """Public functions, classes and documented public methods that a cell defines, in reading order: name
    -> node."""
    found, defs = {}, (ast.FunctionDef, ast.AsyncFunctionDef)
    for o in ast.parse(source).body:
        if not isinstance(o, (*defs, ast.ClassDef)) or o.name.startswith('_'):
            continue
        found[o.name] = o
        for m in o.body if isinstance(o, ast.ClassDef) else []:
            if isinstance(m, defs) and not m.name.startswith('_') and ast.get_docstring(m):
                found[f'{o.name}.{m.name}'] = m
    return found


def signature(source, node):
    """How a function is called, or what a class holds, as its author wrote it: comments on arguments
    belong to it."""
    lines = source.splitlines()
    if isinstance(node, ast.ClassDef):
        rest = [o for o in node.body if not (isinstance(o, ast.Expr) and isinstance(o.value, ast.Constant))]
        fields = [o for o in rest if isinstance(o, ast.AnnAssign)]
        inits = [o for o in rest if isinstance(o, ast.FunctionDef) and o.name == '__init__']
        bases = f'({", ".join(map(ast.unparse, node.bases))})' if node.bases else ''
        inner = [s for o in fields for s in lines[o.lineno - 1 : o.end_lineno]]
        if not inner and inits:
            inner = [f'    {s}' for s in signature(source, inits[0]).splitlines()]
        return '\n'.join([f'class {node.name}{bases}:', *inner])
    first, body = node.lineno - 1, node.body[0]
    if body.lineno == node.lineno:
        text = [lines[first].encode()[: body.col_offset].decode().rstrip()]  # all on one line
    else:
        text = lines[first : body.lineno - 1]
    decorators = map(ast.unparse, node.decorator_list)
    kind = [f'@{d}' for d in decorators if d in ('property', 'staticmethod', 'classmethod')]
    return '\n'.join([*kind, *(s[node.col_offset :] for s in text)]).rstrip()


# ---------------------------------------------------------------------------------------------------- run


def prepare(nb):
    "The notebook with fresh cell ids, and marks on the cells that are not to be run."
    cells = []
    for c in nb['cells']:
        d, code = directives(c['source']) if c['cell_type'] == 'code' else ({}, '')
        if 'nbdev_export(' in code:
            continue
        if d.get('eval') == 'false' or 'slow' in d:
            c['metadata']['tags'] = ['skip-execution']
        cells.append(c)
    return {**nb, 'cells': [{**c, 'id': f'c{i}'} for i, c in enumerate(cells)]}


_data = {  # what modules read
    'models/': ['diffcourse/doodle', 'diffcourse/weights'],
    'digits/': ['diffcourse/weights'],
    'quiz/core/folder.py': ['quizzes'],
}


def imported(source, package=''):
    """Dotted names below `diffcourse` that a piece of Python imports, where `package` (such as `quiz`) is
    the folder it lies in."""
    for o in ast.walk(ast.parse(source)):
        if isinstance(o, ast.Import):
            yield from (a.name[11:] for a in o.names if f'{a.name}.'.startswith('diffcourse.'))
        if not isinstance(o, ast.ImportFrom):
            continue
        if o.level:
            folders = package.split('.')
            path = [*folders[: len(folders) - o.level + 1], o.module]
        elif f'{o.module}.'.startswith('diffcourse.'):
            path = [o.module[11:]]
        else:
            continue
        stem = '.'.join(filter(None, path))
        yield from {stem, *(f'{stem}.{a.name}'.strip('.') for a in o.names)}


def needs(source):
    """Files of the package that a notebook's `source` imports, directly or through others, and the data
    that they read."""
    package, files, todo = ROOT / 'diffcourse', set(), [(source, '')]
    while todo:
        for name in set(imported(*todo.pop())):
            stem = package / name.replace('.', '/')
            found = {f for f in (stem.with_suffix('.py'), stem / '__init__.py') if f.is_file()}
            found -= {package / '__init__.py'}
            if '.' not in name and name and not found:
                found = {f for f in package.rglob('*.py') if f.name != '_modidx.py'}  # by the front door
            for f in found - files:
                folder = '.'.join(f.parent.relative_to(package).parts)
                todo.append((f.read_text(encoding='utf-8'), folder))
            files |= found
    modules = [str(f.relative_to(package)) for f in files]
    for part, folders in _data.items():
        if any(m.startswith(part) for m in modules):
            files |= {f for d in folders for f in (ROOT / d).rglob('*') if f.is_file()}
    return sorted(files)


def fingerprint(path):
    "Hash of everything that the outputs of a notebook depend on."
    files = [ROOT / 'settings.ini', ROOT / 'constraints.txt', *needs('\n'.join(python_of(read(path))))]
    h = hashlib.sha256(path.read_bytes() + (inspect.getsource(prepare) + inspect.getsource(execute)).encode())
    for f in files:
        h.update(str(f.relative_to(ROOT)).encode() + f.read_bytes())
    return h.hexdigest()[:20]


QUIETLY = dict(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', TQDM_DISABLE='1', HF_HUB_OFFLINE='1')


def execute(path):
    """Run the notebook at `path` with outputs and widget state. Returns the result's path and the seconds
    it took."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    path = Path(path)
    # two folders may hold notebooks of the same name
    name = '.'.join(path.relative_to(ROOT / 'nbs').with_suffix('').parts)
    out = CACHE / 'run' / f'{name}.{fingerprint(path)}.ipynb'
    if out.exists():
        return out, 0.0
    began = time.time()
    nb = nbformat.from_dict(prepare(read(path)))
    # a home of its own: the reader's progress and settings stay out of the pages
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(QUIETLY, DIFFCOURSE_HOME=home)
        client = NotebookClient(
            nb,
            timeout=600,
            startup_timeout=120,
            extra_arguments=['--log-level=ERROR'],
            kernel_name='python3',
            store_widget_state=True,
            resources={'metadata': {'path': str(path.parent)}},
        )
        try:
            client.execute()
        except CellExecutionError as e:
            raise Failed(f'{path.relative_to(ROOT)}: {e.ename}: {e.evalue}\n{e.traceback}') from None
    took = time.time() - began
    nb['metadata']['seconds'] = round(took, 1)  # for the head of a lesson's page
    out.parent.mkdir(parents=True, exist_ok=True)
    for old in out.parent.glob(f'{name}.{"[0-9a-f]" * 20}.ipynb'):
        old.unlink()
    out.write_text(nbformat.writes(nb).replace(json.dumps(str(ROOT))[1:-1] + '/', ''), encoding='utf-8')
    return out, took


def about(seconds):
    "How long something takes, in words."
    if seconds < 45:
        return 'less than a minute'
    minutes = math.ceil(seconds / 60 - 0.25)
    return f'about {minutes} minute{"s" if minutes > 1 else ""}'


# -------------------------------------------------------------------------------------------------- adapt

_attributes = re.compile(r'\{(?:[^{}\n]*?\b(?:target|style|width)="?[^{}\n]*)\}')
_callout = re.compile(r'^:::+\s*\{\.callout-(\w+)(?:\s+title="([^"]*)")?[^}]*\}\s*$', re.M)
_link = re.compile(r'(?<!\\)(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)')
_img = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]+)(")')
_name = re.compile(r'(?<![`\[])`([A-Za-z_][\w.]*)(\(\))?`(?![`\]])')


class Site:
    "Where things are on the site: pages by notebook, anchors by name."

    def __init__(self, pages, names):
        self.pages = pages  # path below ROOT -> page (no suffix)
        self.names = names  # short name -> {module: anchor}

    def link(self, here, source, target):
        """`target`, as written in the file `source`, for use on the page `here`; None if the site has no
        such page."""
        if re.match(r'^(https?:|mailto:|#|data:)', target):
            return target
        path, _, frag = target.partition('#')
        there = os.path.relpath((ROOT / source).parent / path, ROOT)
        if there in self.pages:
            to = self.pages[there]
        elif there.startswith('nbs/') and (ROOT / there).is_file():
            to = there[4:]
        else:
            return None
        to = os.path.relpath('/' + to, os.path.dirname('/' + here))
        if there in self.pages:
            to += '.ipynb' if there.endswith('.ipynb') else '.md'
        return to + ('#' + frag if frag else '')

    def anchor(self, name, own=''):
        "The anchor of a documented name, if it is clear which is meant."
        places = self.names.get(name, {})
        if own in places:
            return places[own]
        return next(iter(places.values())) if len(places) == 1 else None

    def text(self, s, here, source, own=''):
        "Markdown in nbdev's dialect to MyST: callouts, attributes, links, names of the library."

        def one(m):
            to = self.link(here, source, m[3])
            return f'{m[1]}[{m[2]}]({to})' if to else m[2]

        def name(m):
            a = self.anchor(m[1], own)
            return f'[`{m[1]}{m[2] or ""}`](#{a})' if a else m[0]

        def callout(m):
            return f':::{{{m[1]}}} {m[2]}' if m[2] else f':::{{{m[1]}}}'

        def picture(m):
            return m[1] + (self.link(here, source, m[2]) or m[2]) + m[3]

        parts = re.split(r'(^```.*?^```\s*?$)', s, flags=re.M | re.S)  # code blocks stay as they are
        for i in range(0, len(parts), 2):
            p = _attributes.sub('', parts[i])
            p = _callout.sub(callout, p)
            p = _link.sub(one, p)
            p = _img.sub(picture, p)
            lines = [x if x.startswith('#') else _name.sub(name, x) for x in p.split('\n')]
            parts[i] = '\n'.join(lines)
        return ''.join(parts)


def anchor(mod, name):
    "The anchor of a name's entry. Anchors don't know upper from lower case, so classes get their own prefix."
    return f'{"class" if name[0].isupper() else "api"}-{mod}.{name}'.lower()


def doc_cell(name, code, node, mod, link):
    "The entry of a function, class or method: name, signature, docstring."
    level = '####' if '.' in name else '###'
    says = link(ast.get_docstring(node) or '')
    return dict(
        cell_type='markdown',
        metadata={},
        source=f'({anchor(mod, name)})=\n{level} {name}\n\n```python\n{signature(code, node)}\n```\n\n{says}',
    )


def fold(code):
    "The label of a folded exported cell; None if it should stand open (constants are worth reading)."
    body = ast.parse(code).body
    if body and all(isinstance(o, (ast.Import, ast.ImportFrom)) for o in body):
        return 'Imports'
    names = [o.name for o in body if isinstance(o, (ast.FunctionDef, ast.ClassDef))]
    return 'Source of ' + ', '.join(names) if names else None


WIDGET_STATE = 'application/vnd.jupyter.widget-state+json'
WIDGET_VIEW = 'application/vnd.jupyter.widget-view+json'


def widget_state(nb, shown):
    "The state of the widgets that are shown, of all they hold, and of the links between them."
    state = nb['metadata'].get('widgets', {}).get(WIDGET_STATE, {}).get('state', {})

    def refs(k):
        return set(re.findall(r'IPY_MODEL_(\w+)', json.dumps(state[k].get('state', {})))) & state.keys()

    keep, todo = set(), set(shown) & state.keys()
    links = {k for k, v in state.items() if v.get('model_name') in ('LinkModel', 'DirectionalLinkModel')}
    while todo:
        keep |= todo
        todo = set().union(*map(refs, todo)) - keep
        if not todo:
            todo = {k for k in links - keep if refs(k) <= keep}
    return {k: v for k, v in state.items() if k in keep}


def code_cell(c, alt):
    "A code cell for the site, or None if readers don't need it. Directives become tags."
    d, code = directives(c['source'])
    if not code or {'hide', 'default_exp'} & d.keys() or d.get('include') == 'false':
        return None
    tags, meta = [], {'image': {'alt': alt}}
    if 'fig-alt' in d:
        meta['image']['alt'] = d['fig-alt'].strip('"')
    if d.get('echo') == 'false':
        tags.append('remove-input')
    if d.get('output') == 'false':
        tags.append('remove-output')
    label = None
    if _export & d.keys():
        label = fold(code)
    elif d.get('code-fold') == 'true':
        label = d.get('code-summary', 'Code').strip('"')
    if label:
        tags.append('hide-input')
        meta.update(code_prompt_show=label, code_prompt_hide=label)
    if re.search(r'\bQuiz\(.*\.show\(\)', code, re.S):
        tags.append('remove-output')
    c['outputs'] = [o for o in c['outputs'] if o.get('name') != 'stderr']
    for o in c['outputs']:
        if 'text/html' in o.get('data', {}):
            o['data'].pop(WIDGET_VIEW, None)  # this widget brings a view that needs no kernel
    return dict(
        cell_type='code',
        source=code,
        metadata={'tags': tags, 'mystnb': meta},
        outputs=c['outputs'],
        execution_count=None,
    )


def adapt(run, source, site):
    "The executed notebook `run` of the file `source`, rewritten for the site: its JSON as a dict."
    nb, here = read(run), site.pages[source]
    mod, (title, says) = module(nb), heading(nb)

    def link(s):
        return site.text(s, here, source, mod)

    cells, last, title_seen = [], title, False
    for c in nb['cells']:
        if c['cell_type'] == 'raw':
            continue
        if c['cell_type'] == 'markdown':
            if not title_seen and c['source'].startswith('# '):
                title_seen = True
                body = [s for s in c['source'].splitlines() if not s.startswith(('# ', '>', '- key'))]
                lead = f':::{{container}} lead\n{link(says)}\n:::\n\n' if says else ''
                c['source'] = f'# {title}\n\n' + lead + time_note(nb, here) + link('\n'.join(body))
            else:
                c['source'] = link(c['source'])
            if heads := re.findall(r'^#{1,4} (.+)$', c['source'], re.M):
                last = re.sub(r'[`*]', '', heads[-1])
            cells.append(dict(cell_type='markdown', source=c['source'], metadata={}))
            continue
        d, code = directives(c['source'])
        if _export & d.keys():
            cells += [doc_cell(n, code, node, mod, link) for n, node in definitions(code).items()]
        if new := code_cell(c, f'What the code above draws ({last})'):
            cells.append(new)
        if re.search(r'\bQuiz\(.*\.show\(\)', code, re.S):
            cells.append(dict(cell_type='markdown', metadata={}, source=quiz_note(source, site)))
    data = [o.get('data', {}) for c in cells for o in c.get('outputs', [])]
    shown = {d[WIDGET_VIEW]['model_id'] for d in data if WIDGET_VIEW in d}
    meta = {
        'kernelspec': nb['metadata'].get('kernelspec', {}),
        'language_info': {'name': 'python', 'pygments_lexer': 'ipython3'},
    }
    if state := widget_state(nb, shown):
        meta['widgets'] = {WIDGET_STATE: dict(version_major=2, version_minor=0, state=state)}
    cells = [{**c, 'id': f'c{i}'} for i, c in enumerate(cells)]
    return dict(cells=cells, metadata=meta, nbformat=4, nbformat_minor=5)


def time_note(nb, here):
    "How long a lesson ran when the site was built; '' elsewhere."
    seconds = nb['metadata'].get('seconds')
    if not here.startswith('lessons/') or seconds is None:
        return ''
    return f'From the first cell to the last: {about(seconds)}, when this page was made.\n\n'


def quiz_note(source, site):
    "A questionnaire needs a kernel: on the page, say where to take it."
    stem = Path(source).stem
    to = site.link(site.pages[source], source, os.path.relpath(f'quizzes/{stem}.yaml', Path(source).parent))
    see = f' [Its page]({to}) marks by recorded values, without a kernel.' if to else ''
    return (
        f':::{{admonition}} Questions are marked by running the model\n'
        ':class: quiz\n'
        'Open this lesson with `make lab` to answer them here, '
        f'or type `diffcourse quiz take {stem}` in a terminal.{see}\n:::'
    )
