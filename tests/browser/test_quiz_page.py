"""The page of a questionnaire in a real browser, off a disk: answered by keyboard alone, kept, downloaded,
readable for everybody."""

import json
import re
import shutil
import subprocess
import sys

import pytest

import quiz_lab
from conftest import ROOT
from diffcourse.quiz.core.grade import grade
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.core.store import Store, read_events
from diffcourse.quiz.ground.values import Values
from diffcourse.quiz.formats.kit import make_kit, page_json

sys.path.insert(0, str(ROOT / 'docs'))
import build  # noqa: E402
import pages  # noqa: E402

pytestmark = pytest.mark.slow

DESK, PHONE = dict(width=1300, height=900), dict(width=390, height=844)


@pytest.fixture(scope='session')
def lab_quiz(tmp_path_factory):
    "A questionnaire with every kind, and its values."
    path = tmp_path_factory.mktemp('quiz') / 'good.yaml'
    path.write_text(quiz_lab.EVERYTHING, 'utf-8')
    quiz = read_quiz(path)[0]
    return path, quiz, Values(quiz, registry=quiz_lab.lab)


@pytest.fixture(scope='session')
def address(lab_quiz, tmp_path_factory):
    "Its page, made as the site makes it."
    path, quiz, values = lab_quiz
    src = tmp_path_factory.mktemp('page') / 'src'
    out = src.parent / 'html'
    src.mkdir()
    kit = make_kit(quiz, values, '2026-02-03')
    for q in kit['questions']:
        for e in q['evidence'][:1]:
            e['captions'], e['caption'] = ['no noise', 'some', 'all'], 'Three mixtures'
    pages.write_quizzes(src, [path], {}, {'good': page_json(kit)})
    (src / 'index.md').write_text('# Site\n\n' + pages.toctree(['quizzes/index']))
    static = src / '_static'
    shutil.copytree(ROOT / 'docs/static', static)
    for f in pages.FACE:
        shutil.copy2(ROOT / 'diffcourse/quiz/formats' / f, static)
    shutil.copy2(ROOT / 'docs/conf.py', src)
    r = subprocess.run(
        [sys.executable, '-m', 'sphinx', '-W', '-q', '-b', 'html', str(src), str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert r.returncode == 0, r.stderr[-3000:]
    return f'file://{out}/quizzes/good.html'


@pytest.fixture
def visit(address, browser):
    "Opens the page. What it wants from outside, and errors in scripts, are failures."
    trouble = []

    def refuse(route):
        route.continue_() if route.request.url.startswith(('file:', 'data:', 'blob:')) else (
            trouble.append(route.request.url),
            route.abort(),
        )

    def open_page(size=DESK, **how):
        page = browser.new_context(viewport=size, accept_downloads=True, **how).new_page()
        page.set_default_timeout(8000)
        page.context.route('**/*', refuse)
        page.on('pageerror', lambda e: trouble.append(str(e)))
        page.goto(address)
        return page

    yield open_page
    assert not trouble, trouble


def card(page, quiz, id):
    return page.locator('.dq-card').nth([q.id for q in quiz.questions].index(id))


def tab_to(page, place, most=120):
    "Press Tab until the focus is there."
    for _ in range(most):
        if place.evaluate('e => e === document.activeElement'):
            return
        page.keyboard.press('Tab')
    raise AssertionError(f'the Tab key does not lead to {place}')


def radio(page, box, value):
    "Choose with the arrow keys."
    here = box.locator('input[type=radio]')
    chosen = box.locator('input[type=radio]:checked')
    tab_to(page, here.first)
    page.keyboard.press('Space')
    for _ in range(here.count()):
        if chosen.get_attribute('value') == value:
            return
        page.keyboard.press('ArrowDown')
    raise AssertionError(f'the arrow keys do not lead to {value}')


def select(page, place, value):
    tab_to(page, place)
    for _ in range(12):
        if place.input_value() == value:
            return
        page.keyboard.press('ArrowDown')
    raise AssertionError(f'the arrow keys do not lead to {value}')


def typed(page, place, text):
    tab_to(page, place)
    page.keyboard.type(text)


def press(page, button):
    tab_to(page, button)
    page.keyboard.press('Enter')


def check(page, box):
    press(page, box.locator('button[type=submit]'))


def mark(box):
    return box.locator('.dq-mark').last.inner_text()


def answer_all(page, quiz):
    "Right answers to all that can be marked here, by keyboard, from top to bottom."

    def at(id):
        return card(page, quiz, id)

    typed(page, at('share').locator('input'), '1/4')
    page.keyboard.press('Enter')
    radio(page, at('effect'), 'up')
    check(page, at('effect'))
    for box in at('which').locator('input').all():
        if box.get_attribute('value') in ('a', 'c'):
            tab_to(page, box)
            page.keyboard.press('Space')
    check(page, at('which'))
    typed(page, at('latents').locator('input'), '(1, 4, 16, 8)')
    page.keyboard.press('Enter')
    typed(page, at('named').locator('input'), 'The variance')
    page.keyboard.press('Enter')
    gaps = at('gaps').locator('input, select')
    typed(page, gaps.nth(0), '0.25')
    select(page, gaps.nth(1), 'mixed')
    typed(page, gaps.nth(2), 'var')
    check(page, at('gaps'))
    for n, to in enumerate('ab'):
        select(page, at('pairs').locator('select').nth(n), to)
    check(page, at('pairs'))

    def order():
        return [r.get_attribute('data-id') for r in at('sorted').locator('.dq-order li').all()]

    for want, n in (('a', 0), ('c', 1)):
        while order().index(want) > n:
            up = at('sorted').locator(f'[data-id={want}] button').first
            if not up.evaluate('e => e === document.activeElement'):
                page.keyboard.press('Shift+Tab') if n else None
                tab_to(page, up)
            page.keyboard.press('Enter')
            assert up.evaluate('e => e === document.activeElement'), 'moving lost the focus'
    check(page, at('sorted'))
    radio(page, at('picture'), 'all')
    check(page, at('picture'))
    typed(page, at('guess').locator('input'), '0.25')
    page.keyboard.press('Enter')
    typed(page, at('why').locator('textarea'), 'Because of noise.')
    check(page, at('why'))
    box = at('why').locator('.dq-self input').nth(1)
    tab_to(page, at('why').locator('.dq-self input').first)
    page.keyboard.press('Space')
    page.keyboard.press('ArrowDown')
    assert box.is_checked()
    typed(page, at('think').locator('textarea'), 'That it works.')
    check(page, at('think'))


def downloaded(page, folder):
    with page.expect_download() as got:
        press(page, page.get_by_role('button', name='Download my answers'))
    to = folder / 'page.jsonl'
    got.value.save_as(to)
    assert got.value.suggested_filename == 'good.jsonl'
    return to


def test_every_kind_by_keyboard_and_what_is_kept(visit, lab_quiz, tmp_path):
    _, quiz, values = lab_quiz
    page = visit()
    answer_all(page, quiz)
    states = {q.id: mark(card(page, quiz, q.id)) for q in quiz.questions}
    assert states.pop('why') == states.pop('think') == '… Kept'
    assert states.pop('find') == states.pop('half') == '– Not graded here'
    assert set(states.values()) == {'✓ Correct'}, states
    assert (
        page.locator('.dq-score').inner_text()
        == '10 of 10 right, 10 of 10 points; 2 more need the live model'
    )
    page.reload()
    assert page.locator('.dq-score').inner_text().startswith('10 of 10 right')
    assert page.locator('.dq-solved', has_text='✓ solved').count() == 10
    assert card(page, quiz, 'share').locator('input').input_value() == '0.25'
    assert card(page, quiz, 'effect').locator('input:checked').get_attribute('value') == 'up'
    assert card(page, quiz, 'guess').locator('input').is_disabled()
    assert card(page, quiz, 'why').locator('.dq-self input').nth(1).is_checked()
    file, store = downloaded(page, tmp_path), Store(':memory:')
    new, old = read_events(store, file)
    assert old == 0 and new >= 14 and read_events(store, file) == (0, new)
    assert store.best('good') == dict.fromkeys(states, 1.0)
    for e in store.events('good'):
        if e['what'] == 'answer' and e['question'] != 'why':
            assert e['data'] == grade(quiz.question(e['question']), e['data']['given'], values).to_json(), e[
                'question'
            ]
    assert [e['data'] for e in store.events('good') if e['what'] == 'self'][-1] == {'rating': 'partly'}


def test_wrong_answers_hints_and_another_try(visit, lab_quiz, tmp_path):
    _, quiz, _ = lab_quiz
    page = visit()
    share, guess = card(page, quiz, 'share'), card(page, quiz, 'guess')
    typed(page, share.locator('input'), 'seven')
    page.keyboard.press('Enter')
    assert mark(share) == '? Not an answer yet' and 'is not a number' in share.inner_text()
    assert share.locator('input').evaluate('e => e === document.activeElement'), 'the focus did not stay'
    page.keyboard.press('Control+A')
    page.keyboard.type('0.5')
    page.keyboard.press('Enter')
    assert mark(share) == '✗ Not correct'
    assert 'Square it.' in share.inner_text()
    assert not share.locator('.dq-why img').first.is_visible()
    press(page, share.locator('summary'))
    assert share.locator('.dq-why img').first.is_visible()
    assert 'accepted 0.2475 to 0.2525' in share.inner_text()
    assert 'It is 0.250, not 0.5.' in share.inner_text()
    page.keyboard.press('Shift+Tab')
    page.keyboard.press('Shift+Tab')
    press(page, share.locator('button', has_text='Hint'))
    assert 'Variances are squares.' in share.inner_text()
    press(page, guess.locator('button', has_text='Solution'))
    assert 'Say what you expect first' in guess.inner_text() and '0.25' not in guess.inner_text()
    page.keyboard.press('Shift+Tab')
    page.keyboard.press('Shift+Tab')
    page.keyboard.type('0.9')
    page.keyboard.press('Enter')
    assert mark(guess) == '✗ Not correct'
    assert guess.locator('input').is_disabled()
    assert 'It was 0.25.' in guess.inner_text()
    for _ in range(2):
        page.get_by_role('button', name='Retry the wrong ones').focus()
        page.keyboard.press('Enter')
        page.locator('button', has_text='Show all').press('Enter') if _ == 0 else None
    assert page.locator('.dq-card:visible').count() == 1
    assert share.locator('input').input_value() == ''
    assert share.locator('input').evaluate('e => e === document.activeElement')
    page.keyboard.type('25 %')
    page.keyboard.press('Enter')
    assert mark(share) == '✓ Correct' and page.locator('.dq-score').inner_text().startswith('1 of 10 right')
    page.get_by_role('button', name='Show all questions').press('Enter')
    page.reload()
    store = Store(':memory:')
    read_events(store, downloaded(page, tmp_path))
    kinds = [(e['what'], e['state']) for e in store.events('good', 'share')]
    assert kinds == [('answer', 'invalid'), ('answer', 'incorrect'), ('hint', None), ('answer', 'correct')]
    assert [e['data'] for e in store.events('good', 'guess') if e['what'] == 'lock'] == [{'given': 0.9}]


def test_it_says_that_values_were_recorded(visit, address):
    page = visit()
    text = page.locator('#quiz-top').inner_text()
    assert 'Recorded values.' in text and '2026-02-03' in text and 'diffcourse quiz take good' in text
    page.locator('#quiz-top summary').press('Enter')
    assert 'mixing(noise=0.5' in page.locator('#quiz-top').inner_text()
    for secret in ('Square it.', 'Variances are squares.'):
        assert secret not in page.content()


def test_without_scripts_the_questions_are_there(visit, lab_quiz):
    page = visit(java_script_enabled=False)
    assert page.locator('.dq-question').count() == len(lab_quiz[1].questions)
    assert 'Which share is noise' in page.locator('article').inner_text()
    assert 'It lowers the share' in page.locator('article').inner_text()
    assert not page.locator('#quiz-top').is_visible() and page.locator('form.dq-card').count() == 0


def test_a_browser_that_keeps_nothing(visit, lab_quiz, address):
    page = visit()
    page.context.add_init_script(
        "for (const f of ['getItem', 'setItem']) { const old = Storage.prototype[f]; Storage.prototype[f] "
        "= function (k, v) { if (k.startsWith('diffcourse')) throw new DOMException('no', "
        "'SecurityError'); return old.call(this, k, v) } }"
    )
    page.goto(address)
    typed(page, card(page, lab_quiz[1], 'share').locator('input'), '1/4')
    page.keyboard.press('Enter')
    assert 'This browser keeps nothing' in page.locator('#quiz-top').inner_text()
    assert page.locator('.dq-score').inner_text().startswith('1 of 10 right')


@pytest.mark.parametrize('size', [DESK, PHONE], ids=['desk', 'phone'])
@pytest.mark.parametrize('colours', ['light', 'dark'])
def test_nobody_is_shut_out(visit, lab_quiz, size, colours):
    _, quiz, _ = lab_quiz
    page = visit(size, color_scheme=colours, reduced_motion='reduce')
    for id, given in (('share', '1/4'), ('latents', '7'), ('named', '')):
        box = card(page, quiz, id)
        box.locator('input').fill(given)
        box.locator('button[type=submit]').click()
    for box in page.locator('.dq-card').all():
        for name in ('Hint', 'Solution'):
            for b in box.locator('button', has_text=name).all():
                b.click()
    for s in page.locator('summary').all():
        s.click()
    card(page, quiz, 'why').locator('textarea').fill('Noise.')
    card(page, quiz, 'why').locator('button[type=submit]').click()
    assert page.evaluate('document.documentElement.scrollWidth') <= size['width']
    page.add_script_tag(path=build.fetch('axe') / 'axe.min.js')
    found = page.evaluate(
        "axe.run({include: [['#quiz-top'], ['.dq-card']]}, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', "
        "'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert len(found['passes']) > 15 and not found['violations'], json.dumps(
        [
            (v['id'], [(n['html'][:200], n['failureSummary']) for n in v['nodes'][:4]])
            for v in found['violations']
        ],
        indent=1,
    )
    assert re.search(r'\d+ of 10 right', page.locator('.dq-score').inner_text())
