"""The pages that no notebook makes: questionnaires, and the front pages of lessons, questionnaires and
reference."""

import re
from pathlib import Path

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
    '5_train': ('Training', 'The recipes that made all shipped weights.'),
    '6_digits': ('Digits', 'The small teaching nets, on white digits.'),
    '7_widgets': ('Widgets', 'Figures and widgets of recorded runs.'),
    '8_experiments': (
        'Experiments',
        'Functions that run the model and measure something: what questionnaires call.',
    ),
    '9_commands': ('Commands', 'The command line, and the lab.'),
    'quiz/probe': ('Probes', 'Named measurements: how questionnaires call an experiment.'),
    'quiz/ground': ('Ground', 'What every kind of question is made of: values, answers, records.'),
    'quiz/kinds': ('Kinds', 'One kind of question, one module.'),
    'quiz/core': ('Core', 'How a file and an answer become a mark that is kept.'),
    'quiz/author': ('For authors', 'What is checked before a learner sees a question.'),
    'quiz/sandbox': ('Code', "Learners' functions, run in isolation."),
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


def asks_a_run(value):
    "Is there a `from`, anywhere in this part of a question?"
    if isinstance(value, dict):
        return 'from' in value or any(map(asks_a_run, value.values()))
    return isinstance(value, list) and any(map(asks_a_run, value))


def live(q):
    "Is the question marked by running something?"
    options = [o for o in q.get('options', []) if isinstance(o, dict)]
    return 'probe' in q or any(map(asks_a_run, [q.get('answer'), q.get('gaps'), *options]))


def plain(text, params):
    "A question's text as the first variant shows it; what a run will fill in stays out."
    text = re.sub(r'\{\{|\}\}', lambda m: '\0' if m[0] == '{{' else '\1', str(text).strip())
    text = re.sub(r'\{(\w+)\}', lambda m: str(params.get(m[1], '…')), text)
    return re.sub(r'\{[\w.]+(:[^}]*)?\}', '…', text).replace('\0', '{').replace('\1', '}')


def said(q):
    """What a question shows besides its prompt, as Markdown. What is to be ordered or matched stands in the
    order of the alphabet, which gives nothing away."""

    def text(o):
        return str(o.get('text', o.get('alt', o.get('id', ''))) if isinstance(o, dict) else o)

    def texts(key):
        return [text(o) for o in q.get(key) or []]

    lists = [texts('options'), sorted(texts('items')), texts('left'), sorted(texts('right'))]
    gaps = [re.sub(r'\[\[.*?\]\]', '＿＿＿', q['text'])] if q.get('kind') == 'cloze' else []
    return gaps + ['\n'.join(f'- {t}' for t in xs) for xs in lists if xs]


def section(question_id):
    "The heading of a question."
    return str(question_id).replace('-', ' ').replace('_', ' ').capitalize()


def row_label(map_id):
    "What links to a row of the map lead to."
    return 'map-' + map_id.replace('.', '-')


TOP = """<div id="quiz-top" class="dq-top" data-lesson="{lesson}" hidden></div>
<noscript><p>Without JavaScript this page only shows the questions.</p></noscript>"""


def how_to_take(stem, lessons, kit):
    "Where the questions can be answered."
    start = f'in a terminal with `diffcourse quiz take {stem}`'
    if stem in lessons:
        lesson = f'[{lessons[stem]}](../lessons/{stem}.ipynb)'
        start += f', or at the end of the lesson {lesson}, opened with `make lab`'
    if kit:
        return f'Here, with recorded values; or measured live on your own machine: {start}.'
    return (
        f'Answer them {start}. The answers are not on this page: most are not written down anywhere, they '
        'are what your own run of the model says.'
    )


def badges_of(q, kit, asked):
    "The kind of a question, whether it is measured, and the rows of the map that it covers."
    badges = [f'[{badge(q.get("kind", ""))}]{{.badge}}']
    if live(q):
        how = 'measured live' if not kit or 'probe' in q else 'measured'
        badges.append(f'[{how}]{{.badge .live}}')
    if q.get('weight') == 0 and q.get('kind') not in ('free', 'reflect'):
        badges.append('[optional, no points]{.badge}')
    rows = [m for m in dict.fromkeys(q.get('covers') or []) if m in asked]
    return ' '.join(badges + [f'[[{m}](#{row_label(m)})]{{.badge}}' for m in rows])


def quiz_page(path, lessons, kit='', asked=()):
    """Page of one questionnaire: its questions as text, not its answers; with a `kit` the page can be
    answered. `asked`: ids of the map, which questions link."""
    quiz = load_quiz(path)
    stem, questions = path.stem, quiz['questions']
    measured = sum(map(live, questions))
    params = {k: next(iter(v.values()))[0] for k, v in (quiz.get('params') or {}).items()}
    lead = f'{len(questions)} questions, {measured} of them marked by running the model.'
    how = how_to_take(stem, lessons, kit)
    out = [
        f'# {quiz.get("title", stem)}',
        f':::{{container}} lead\n{lead}\n:::',
        f':::{{admonition}} How to take it\n:class: quiz\n{how}\n:::',
    ]
    if kit:
        out.append(raw(TOP.format(lesson=f'../lessons/{stem}.html' if stem in lessons else '')))
    for i, q in enumerate(questions, 1):
        name = q.get('id', i)
        text = '\n\n'.join(plain(t, params) for t in [q.get('prompt', ''), *said(q)])
        out += [
            f'(q-{stem}-{name})=\n## {i}. {section(name)}',
            badges_of(q, kit, asked),
            f'::::{{container}} dq-question\n{text}\n::::',
        ]
    if kit:
        out.append(raw(SCRIPTS.format(kit=kit)))
    return '\n\n'.join(out) + '\n'


SCRIPTS = """<link rel="stylesheet" href="../_static/quiz.page.css">
<script type="application/json" id="quiz-kit">{kit}</script>
<script src="../_static/quiz.js"></script>
<script src="../_static/quiz.page.js"></script>"""


FACE = (
    'quiz.js',
    'quiz.page.js',
    'quiz.page.css',
)  # of diffcourse/quiz/formats: they make the page answerable


def raw(html):
    return f'```{{raw}} html\n{html}\n```'


def card(title, says, to, foot=''):
    "One entry of a list of pages."
    last = f'\n[{foot}]{{.foot}}\n' if foot else ''
    return f'::::{{container}} card\n[{title}]({to})\n\n{says}\n{last}::::\n'


def cards(items):
    "A list of pages: (title, sentence, link) or (title, sentence, link, foot) each."
    return ':::::{container} cards\n' + '\n'.join(card(*i) for i in items) + ':::::\n'


def toctree(entries, **options):
    "The pages below this one, as Sphinx wants to be told."
    lines = ['```{toctree}', *(f':{k}: {v}' for k, v in options.items()), *entries, '```']
    return '\n'.join(lines) + '\n'


def list_page(title, says, body, names):
    "A page that leads to other ones."
    tree = toctree(names, hidden='') if names else ''
    return f'# {title}\n\n:::{{container}} lead\n{says}\n:::\n\n{body}\n{tree}'


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
        'Each row has an experiment that can settle it, and says what to compare. The outcome that it '
        'expects is a guess until somebody has measured it, and it gives something away: answer first.'
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


def write_quizzes(src, paths, lessons, kits=None, guides=()):
    """quizzes/*.md, their list, and the map. `kits`: name -> what its page marks by; `guides`: title, words
    and file of the pages on the engine and on writing one."""
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
    items, titles = [], {}
    for p in paths:
        quiz = load_quiz(p)
        page = quiz_page(p, lessons, (kits or {}).get(p.stem, ''), covered)
        (folder / f'{p.stem}.md').write_text(page, encoding='utf-8')
        titles[p.stem] = quiz.get('title', p.stem)
        count = f'{len(quiz["questions"])} questions, {sum(map(live, quiz["questions"]))} measured live'
        items.append((titles[p.stem], count, f'{p.stem}.md', p.stem))
    (folder / 'map.md').write_text(map_page(asked, covered, titles), encoding='utf-8')

    says = (
        'Every lesson ends in a questionnaire. The key is not in the file: a question names an experiment, '
        'and the answer is what the experiment measures.'
    )
    rows = (
        'Every row of the map behind the questionnaires, the questions that cover it, and what is still open.'
    )
    own = [(MAP_TITLE, rows, 'map.md', f'{len(open_rows(covered))} of {len(asked.rows)} open')]
    own += guides
    names = [*titles, 'map', *(Path(file).stem for *_, file in guides)]
    listed = cards(items) if items else 'None yet.\n'
    body = f'{listed}\n## Behind the questionnaires, and writing your own\n\n{cards(own)}'
    (folder / 'index.md').write_text(list_page('Questionnaires', says, body, names), encoding='utf-8')


def write_lessons(src, lessons, times):
    "The list of lessons. `lessons`: stem -> (title, sentence); `times`: stem -> how long it ran."
    folder = src / 'lessons'
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for stem, (title, says) in lessons.items():
        label = ' · '.join(filter(None, [f'Lesson {int(stem[:2])}', times.get(stem)]))
        items.append((title or stem, says, f'{stem}.ipynb', label))
    says = (
        'One linear path. Each lesson is a notebook that runs in a minute or two on a laptop; `make lab` '
        'opens it.'
    )
    body = cards(items) if items else 'None yet.\n'
    body += '\nEach sentence about a picture or a number is asserted: [what the lessons claim](claims.md).\n'
    tree = [*lessons, 'claims']
    (folder / 'index.md').write_text(list_page('Lessons', says, body, tree), encoding='utf-8')


def floor_page(folder):
    "What the page of a folder is called, its title, and a sentence."
    name, says = FLOORS.get(folder, (folder, ''))
    if folder.startswith('quiz/'):
        return folder.replace('/', '-'), f'Questionnaires · {name}', says
    return f'floor-{folder[0]}', f'{folder[0]} · {name}', says


def write_reference(src, modules):
    """The front page of the reference and one page a floor. `modules`: list of (folder of nbs/, module,
    sentence), in order."""
    folder = src / 'reference'
    folder.mkdir(parents=True, exist_ok=True)
    rows, pages, here = [], [], {m[0] for m in modules}
    for f in [f for f in FLOORS if f in here] + sorted(here - set(FLOORS)):
        page, title, says = floor_page(f)
        mine = {m: s for g, m, s in modules if g == f}
        listed = cards([(m, s, f'{m}.ipynb') for m, s in mine.items()])
        (folder / f'{page}.md').write_text(list_page(title, says, listed, list(mine)), encoding='utf-8')
        rows.append(f'## {title}\n\n{says}\n\n{listed}')
        pages.append(page)
    says = (
        'Each module is one notebook: what it is for, the formula, the function, and a check that was run '
        'when this page was made. The number of a folder is its floor, and a module uses only lower floors. '
        'The questionnaires have an engine of their own, which meets the course in the experiments.'
    )
    body = '\n'.join(rows)
    (folder / 'index.md').write_text(list_page('Reference', says, body, pages), encoding='utf-8')


def wall(path, rows=6, cols=8):
    "A wall of drawings for the front page, made by the course's own generator."
    import numpy as np
    from diffcourse.base import doodles
    from PIL import Image

    pictures = [doodles.doodle(i, seed=8).image for i in range(rows * cols)]
    grid = np.concatenate([np.concatenate(pictures[r * cols : (r + 1) * cols], 1) for r in range(rows)], 0)
    Image.fromarray(grid).resize((cols * 96, rows * 96), Image.LANCZOS).save(path, optimize=True)
