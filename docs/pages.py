"""The pages that no notebook makes: questionnaires, and the doors to lessons, questionnaires and
reference."""

import re

from ruamel.yaml import YAML

from notebooks import ROOT, Failed

FLOORS = {
    '0_base': (
        'Base',
        'Errors, settings, pictures, the record of a run, and the drawings that everything is trained on.',
    ),
    '1_maths': (
        'Maths',
        'Noise schedules, what a network predicts, guidance, losses, and denoisers that are formulas.',
    ),
    '2_samplers': ('Samplers', 'From noise to picture, one algorithm a module.'),
    '3_models': ('Models', 'The networks and how they are loaded.'),
    '4_pipeline': ('Pipeline', 'Words in, picture out.'),
    '5_train': ('Training', 'Every shipped weight was made here.'),
    '6_digits': ('Digits', 'The small teaching nets, on white digits.'),
    '7_widgets': ('Widgets', 'Figures and widgets of recorded runs.'),
    '8_experiments': (
        'Experiments',
        'Functions that run the model and read a number off it: what questionnaires ask.',
    ),
    '9_commands': ('Commands', 'The command line, and the lab.'),
    'quiz/probe': ('Probes', 'Named measurements: how questionnaires call an experiment.'),
    'quiz/ground': ('Ground', 'What every kind of question is made of: values, answers, records.'),
    'quiz/kinds': ('Kinds', 'One kind of question, one module.'),
    'quiz/core': ('Core', 'From a file and an answer to a mark that is kept.'),
    'quiz/author': ('For authors', 'What is checked before a learner sees a question.'),
    'quiz/sandbox': ('Code', "Learners' functions, run apart from everything."),
    'quiz/free': ('Words', 'Answers in free words.'),
    'quiz/classroom': ('Classroom', 'Many submissions at once.'),
    'quiz/formats': ('Formats', 'Other systems, and pages that mark without a kernel.'),
    'quiz/faces': ('Faces', 'Notebook panel and terminal.'),
}


def badge(kind):
    "What a kind of question is called, in a few words."
    from diffcourse.quiz.kinds.base import kinds

    return kinds()[kind].badge if kind in kinds() else kind


def load_quiz(path):
    "A questionnaire as plain data."
    try:
        quiz = YAML(typ='safe').load(path.read_text(encoding='utf-8'))
    except Exception as e:
        raise Failed(f'{path.relative_to(ROOT)}: not readable as YAML: {" ".join(str(e).split())}') from None
    if not isinstance(quiz, dict) or not isinstance(quiz.get('questions'), list):
        raise Failed(f'{path.relative_to(ROOT)}: no list of `questions` in it')
    return quiz


def live(q):
    "Is the question marked by running something?"

    def inside(v):
        return (
            any(k == 'from' or inside(x) for k, x in v.items())
            if isinstance(v, dict)
            else isinstance(v, list) and any(map(inside, v))
        )

    return (
        'probe' in q
        or inside(q.get('answer'))
        or inside(q.get('gaps'))
        or any(inside(o) for o in q.get('options', []) if isinstance(o, dict))
    )


def plain(text, params):
    "A question's text as the first variant shows it; what a run will fill in stays out."
    text = re.sub(r'\{\{|\}\}', lambda m: '\0' if m[0] == '{{' else '\1', str(text).strip())
    text = re.sub(r'\{(\w+)\}', lambda m: str(params.get(m[1], '…')), text)
    return re.sub(r'\{[\w.]+(:[^}]*)?\}', '…', text).replace('\0', '{').replace('\1', '}')


def said(q):
    """What a question shows besides its prompt, as Markdown. What is to be ordered or matched stands in
    the order of the alphabet, which gives nothing away."""

    def texts(key):
        return [
            str(o.get('text', o.get('alt', o.get('id', ''))) if isinstance(o, dict) else o)
            for o in q.get(key) or []
        ]

    lists = [texts('options'), sorted(texts('items')), texts('left'), sorted(texts('right'))]
    gaps = [re.sub(r'\[\[.*?\]\]', '＿＿＿', q['text'])] if q.get('kind') == 'cloze' else []
    return gaps + ['\n'.join(f'- {t}' for t in xs) for xs in lists if xs]


def section(question_id):
    "The heading of a question."
    return str(question_id).replace('-', ' ').replace('_', ' ').capitalize()


def row_label(map_id):
    "What links to a row of the map lead to."
    return 'map-' + map_id.replace('.', '-')


def quiz_page(path, lessons, kit='', asked=()):
    """Page of one questionnaire: its questions as text, not its answers; with a `kit` the page can be
    answered. `asked`: ids of the map, which questions link."""
    quiz = load_quiz(path)
    stem, qs = path.stem, quiz['questions']
    n = sum(map(live, qs))
    params = {k: next(iter(v.values()))[0] for k, v in (quiz.get('params') or {}).items()}
    out = [
        f'# {quiz.get("title", stem)}',
        f':::{{container}} lead\n{len(qs)} questions, {n} of them marked by running the model.\n:::',
    ]
    start = f'in a terminal with `diffcourse quiz take {stem}`'
    if stem in lessons:
        start += (
            f', or at the end of the lesson [{lessons[stem]}](../lessons/{stem}.ipynb), opened with `make '
            'lab`'
        )
    says = (
        f'Here, by values that were recorded; or measured live on your own machine: {start}.'
        if kit
        else (
            f'Answer them {start}. The answers are not on this page: most are not written down anywhere, '
            'they are what your own run of the model says.'
        )
    )
    out.append(f':::{{admonition}} How to take it\n:class: quiz\n{says}\n:::')
    if kit:
        out.append(
            raw(
                '<div id="quiz-top" class="dq-top" '
                f'data-lesson="{f"../lessons/{stem}.html" if stem in lessons else ""}" hidden></div>\n'
                '<noscript><p>Without JavaScript this page only shows the questions.</p></noscript>'
            )
        )
    for i, q in enumerate(qs, 1):
        kind = badge(q.get('kind', ''))
        badges = f'[{kind}]{{.badge}}' + (
            f' [{"measured live" if not kit or "probe" in q else "measured"}]{{.badge .live}}'
            if live(q)
            else ''
        )
        badges += ''.join(
            f' [[{m}](#{row_label(m)})]{{.badge}}' for m in dict.fromkeys(q.get('covers') or []) if m in asked
        )
        text = '\n\n'.join(plain(t, params) for t in [q.get('prompt', ''), *said(q)])
        out += [
            f'(q-{stem}-{q.get("id", i)})=\n## {i}. {section(q.get("id", i))}',
            badges,
            f'::::{{container}} dq-question\n{text}\n::::',
        ]
    if kit:
        out.append(raw(SCRIPTS.format(kit=kit)))
    return '\n\n'.join(o for o in out if o) + '\n'


SCRIPTS = """<link rel="stylesheet" href="../_static/quiz.page.css">
<script type="application/json" id="quiz-kit">{kit}</script>
<script src="../_static/quiz.js"></script>
<script src="../_static/quiz.page.js"></script>"""


FACE = (
    'quiz.js',
    'quiz.page.js',
    'quiz.page.css',
)  # of diffcourse/quiz/formats: what makes the page answerable


def raw(html):
    return f'```{{raw}} html\n{html}\n```'


def card(title, says, to, foot=''):
    "One entry of a list of pages."
    return (
        f'::::{{container}} card\n[{title}]({to})\n\n{says}\n'
        + (f'\n[{foot}]{{.foot}}\n' if foot else '')
        + '::::\n'
    )


def cards(items):
    return ':::::{container} cards\n' + '\n'.join(card(*i) for i in items) + ':::::\n'


def toctree(entries, **options):
    return (
        '```{toctree}\n'
        + ''.join(f':{k}: {v}\n' for k, v in options.items())
        + '\n'.join(entries)
        + '\n```\n'
    )


def row_of_map(row, questions, titles):
    """One row of the map. `questions`: the pairs of questionnaire and question that cover it; `titles`:
    questionnaire -> its title."""
    badges = [f'[{row.id}]{{.badge}}', f'[{row.topic}]{{.badge}}']
    if row.live:
        badges.append('[can be measured]{.badge .live}')
    if not questions:
        badges.append('[open]{.badge .open}')
    links = [
        f'[{titles[quiz].partition(":")[0]}: {section(question).lower()}](#q-{quiz}-{question})'
        for quiz, question in questions
    ]
    answered = f'Asked in {" · ".join(links)}' if links else 'No question covers it yet.'
    body = '\n\n'.join([' '.join(badges), f'**{row.ask}**', row.experiment, answered])
    return f'({row_label(row.id)})=\n::::{{container}} asked\n{body}\n::::\n'


def map_page(asked, covered, titles):
    """The page of what learners ask: how much of it is open, then every row. `covered`: id -> pairs of
    questionnaire and question."""
    from diffcourse.quiz.author.coverage import open_rows, part_of

    missing = open_rows(covered)
    lead = (
        f'{len(asked.rows)} things that people ask when they learn how diffusion models work, restated. '
        f'{len(asked.rows) - len(missing)} are asked in a questionnaire, {len(missing)} are open.'
    )
    note = (
        'Beside each thing that is asked stands what one would run, and compare, to settle it. What comes '
        'out stands there as a guess, '
        'until somebody has measured it – and gives something away to those who have not answered yet.'
    )
    out = [f'# {MAP_TITLE}', f':::{{container}} lead\n{lead}\n:::', note]
    for part, says in asked.parts.items():
        rows = [row for row in asked.rows if part_of(row.id) == part]
        still = [f'[{id}](#{row_label(id)})' for id in missing if part_of(id) == part]
        out.append(f'## {says}')
        out.append(
            f'{len(rows)} rows, {len(rows) - len(still)} covered, {len(still)} open'
            + (f': {", ".join(still)}.' if still else '.')
        )
        out += [row_of_map(row, covered[row.id], titles) for row in rows]
    return '\n\n'.join(out) + '\n'


MAP_TITLE = 'What learners ask'


def write_quizzes(src, paths, lessons, kits=None, guide=None):
    """quizzes/*.md, their list, and the map. `kits`: name -> what its page marks by; `guide`: title and
    sentence of the page that says how to write one, authoring.ipynb."""
    from diffcourse.quiz.author.coverage import coverage, open_rows, read_map
    from diffcourse.quiz.core.reader import read_quiz
    from diffcourse.quiz.core.source import BadFile

    folder = src / 'quizzes'
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asked, _ = read_map(ROOT / 'quizzes/map.yaml')
        covered = coverage(asked, [read_quiz(p)[0] for p in paths])
    except BadFile as e:
        raise Failed(str(e)) from None
    items = []
    for p in paths:
        (folder / f'{p.stem}.md').write_text(
            quiz_page(p, lessons, (kits or {}).get(p.stem, ''), covered), encoding='utf-8'
        )
        quiz = load_quiz(p)
        n = sum(map(live, quiz['questions']))
        items.append(
            (
                quiz.get('title', p.stem),
                f'{len(quiz["questions"])} questions, {n} measured live',
                f'{p.stem}.md',
                p.stem,
            )
        )
    says = (
        'Every lesson ends in a questionnaire. The key is not in the file: a question names an experiment, '
        'and the answer is what the experiment says.'
    )
    titles = {p.stem: title for p, (title, *_) in zip(paths, items)}
    (folder / 'map.md').write_text(map_page(asked, covered, titles), encoding='utf-8')
    own = [
        (
            MAP_TITLE,
            (
                'Every row of the map behind the questionnaires, the questions that cover it, and what is '
                'still open.'
            ),
            'map.md',
            f'{len(open_rows(covered))} of {len(asked.rows)} open',
        )
    ]
    if guide:
        own.append((*guide, 'authoring.ipynb'))
    own = f'## Behind them, and your own\n\n{cards(own)}\n'
    names = [p.stem for p in paths] + ['map'] + ['authoring'] * bool(guide)
    (folder / 'index.md').write_text(
        f'# Questionnaires\n\n:::{{container}} lead\n{says}\n:::\n\n'
        + (cards(items) if items else 'None yet.\n')
        + f'\n{own}'
        + (toctree(names, hidden='') if names else ''),
        encoding='utf-8',
    )


def write_lessons(src, lessons):
    "The list of lessons. `lessons`: stem -> (title, sentence)."
    folder = src / 'lessons'
    folder.mkdir(parents=True, exist_ok=True)
    items = [
        (t or stem, says, f'{stem}.ipynb', f'Lesson {int(stem[:2])}') for stem, (t, says) in lessons.items()
    ]
    says = (
        'One linear path. Each lesson is a notebook that runs in about a minute on a laptop; `make lab` '
        'opens it.'
    )
    (folder / 'index.md').write_text(
        f'# Lessons\n\n:::{{container}} lead\n{says}\n:::\n\n'
        + (cards(items) if items else 'None yet.\n')
        + '\n'
        + (toctree(list(lessons), hidden='') if lessons else ''),
        encoding='utf-8',
    )


def write_reference(src, modules):
    """The reference's door and one page a floor. `modules`: list of (folder of nbs/, module, sentence), in
    order."""
    folder = src / 'reference'
    folder.mkdir(parents=True, exist_ok=True)
    rows, doors, here = [], [], {m[0] for m in modules}
    groups = [f for f in FLOORS if f in here] + sorted(here - set(FLOORS))
    for f in groups:
        name, says = FLOORS.get(f, (f, ''))
        title = f'Questionnaires · {name}' if f.startswith('quiz/') else f'{f[0]} · {name}'
        door = f.replace('/', '-') if f.startswith('quiz/') else f'floor-{f[0]}'
        mine = [(m, s) for g, m, s in modules if g == f]
        rows.append(f'## {title}\n\n{says}\n\n' + cards([(m, s, f'{m}.ipynb') for m, s in mine]))
        (folder / f'{door}.md').write_text(
            f'# {title}\n\n:::{{container}} lead\n{says}\n:::\n\n'
            + cards([(m, s, f'{m}.ipynb') for m, s in mine])
            + '\n'
            + toctree([m for m, _ in mine], hidden=''),
            encoding='utf-8',
        )
        doors.append(door)
    says = (
        'Each module is one notebook: what it is for, the formula, the function, and a check that was run '
        'when this page was made. '
        'The folder is the floor; a module leans only on what lies below it. The questionnaires are an '
        'engine of their own, which meets the course in the experiments.'
    )
    (folder / 'index.md').write_text(
        f'# Reference\n\n:::{{container}} lead\n{says}\n:::\n\n'
        + '\n'.join(rows)
        + '\n'
        + toctree(doors, hidden=''),
        encoding='utf-8',
    )


def wall(path, rows=6, cols=8):
    "A wall of drawings for the front page, made by the course's own generator."
    import numpy as np
    from diffcourse.base import doodles
    from PIL import Image

    pictures = [doodles.doodle(i, seed=8).image for i in range(rows * cols)]
    grid = np.concatenate([np.concatenate(pictures[r * cols : (r + 1) * cols], 1) for r in range(rows)], 0)
    Image.fromarray(grid).resize((cols * 96, rows * 96), Image.LANCZOS).save(path, optimize=True)
