"The built site, off a disk, with the network cut: everything on it works, and it asks for nothing."

import subprocess
import sys

import pytest

from conftest import ROOT
from diffcourse.quiz.core.folder import quiz_files

pytestmark = pytest.mark.slow

PHONE, DESK = dict(width=390, height=844), dict(width=1400, height=1000)


@pytest.fixture(scope='session')
def site(tmp_path_factory):
    "The site as `make docs` builds it. Runs of notebooks that did not change are taken from .cache."
    out = tmp_path_factory.mktemp('site') / 'html'
    r = subprocess.run(
        [sys.executable, ROOT / 'docs/build.py', '--out', out],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1500,
    )
    assert r.returncode == 0, r.stdout[-6000:]
    return out


@pytest.fixture
def visit(site, browser):
    """Opens a page of the site. Whatever it wants from outside is refused, and counts as a failure; so
    does an error in a script."""
    wanted, trouble = [], []

    def refuse(route):
        if route.request.url.startswith(('file:', 'data:', 'blob:')):
            return route.continue_()
        wanted.append(route.request.url)
        route.abort()

    def open_page(path, size=DESK, **how):
        context = browser.new_context(viewport=size, **how)
        context.route('**/*', refuse)
        page = context.new_page()
        page.on('pageerror', lambda e: trouble.append(f'{path}: {e}'))
        page.on('requestfailed', lambda r: trouble.append(f'{path}: {r.url} is missing'))
        page.goto(f'file://{site}/{path}')
        return page

    yield open_page
    assert not wanted, f'asked from outside: {sorted(set(wanted))}'
    assert not trouble, trouble


def pages(site):
    return sorted(str(p.relative_to(site)) for p in site.rglob('*.html') if '_static' not in p.parts)


def with_widgets(site):
    return [
        p
        for p in pages(site)
        if 'noUi' not in p and 'application/vnd.jupyter.widget-view+json' in (site / p).read_text()
    ]


def test_every_page_stands_alone_and_fits_a_phone(site, visit):
    for path in pages(site):
        page = visit(path)
        assert page.locator('h1').count() == 1 or path in ('genindex.html', 'search.html'), (
            f'{path} has {page.locator("h1").count()} main headings'
        )
        page.set_viewport_size(PHONE)
        page.wait_for_timeout(200)
        wide = page.evaluate('document.documentElement.scrollWidth')
        assert wide <= PHONE['width'], f'{path} is {wide} pixels wide on a phone of {PHONE["width"]}'
        page.context.close()


def test_sliders_move_pictures_without_a_kernel(site, visit):
    seen = 0
    for path in with_widgets(site):
        page = visit(path)
        if 'IntSlider' not in (site / path).read_text():
            continue
        page.locator('.noUi-handle').first.wait_for(timeout=30_000)
        for box in page.locator('.cell_output:has(.noUi-handle):has(img)').all():
            box.scroll_into_view_if_needed()

            def shown():
                return box.locator('img:visible').first.get_attribute('src')

            before = shown()
            for handle in box.locator('.noUi-handle').all():
                for key in ('ArrowRight', 'ArrowLeft'):
                    handle.focus()
                    page.keyboard.press(key)
                    page.wait_for_timeout(250)
                    if shown() != before:
                        break
                assert shown() != before, f'{path}: the slider moved and the picture stayed the same'
                before = shown()
                seen += 1
        page.context.close()
    assert seen, 'no page has a slider with a picture'
    assert (site / 'lessons/00_start.html').exists() and 'lessons/00_start.html' in with_widgets(site)


def test_search_finds_a_module(visit):
    page = visit('search.html?q=noise+schedule')
    page.locator('#search-results li a', has_text='schedule').first.wait_for(timeout=15_000)


def test_dark_mode(visit):
    def light(page, what):
        part = 'backgroundColor' if what == 'body' else 'color'
        style = f"getComputedStyle(document.querySelector('{what}')).{part}"
        return sum(map(int, page.evaluate(f'{style}.match(/\\d+/g).slice(0, 3)')))

    day, night = visit('index.html', color_scheme='light'), visit('index.html', color_scheme='dark')
    assert light(day, 'body') > 600 > 200 > light(night, 'body')
    assert light(day, 'h1') < 200 < 500 < light(night, 'h1')
    button = night.locator('button.theme-toggle:visible').first
    for _ in range(3):  # auto, light, dark in turn
        button.click()
        if light(night, 'body') > 600:
            break
    else:
        raise AssertionError('the button does not switch to light')


def test_formulas_are_set(site, visit):
    with_math = [p for p in pages(site) if 'class="math' in (site / p).read_text()]
    if not with_math:
        pytest.skip('no page has a formula')
    page = visit(with_math[0])
    page.locator('mjx-container').first.wait_for(timeout=15_000)


def test_links_lead_somewhere(site):
    import re
    from html.parser import HTMLParser

    class Links(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.update(re.split('[#?]', v)[0] for k, v in attrs if k in ('href', 'src') and v)

    broken = []
    for path in pages(site):
        found = set()
        Links().feed((site / path).read_text())
        broken += [
            f'{path} → {to}'
            for to in found
            if to and not re.match(r'^(\w+:|//)', to) and not ((site / path).parent / to).exists()
        ]
    assert not broken, broken


def test_answers_are_not_on_the_pages(site):
    from ruamel.yaml import YAML

    for file in quiz_files(ROOT / 'quizzes'):
        text = (site / f'quizzes/{file.stem}.html').read_text()
        for q in YAML(typ='safe').load(file.read_text())['questions']:
            for said in [o.get('feedback') for o in q.get('options', []) if isinstance(o, dict)] + q.get(
                'hints', []
            ):
                assert not said or str(said)[:60] not in text, f'{file.name}: {q["id"]} gives itself away'


def test_questionnaires_can_be_answered(site, visit):
    "Each page has a form for each question; the details of it are in test_quiz_page.py."
    from ruamel.yaml import YAML

    for file in quiz_files(ROOT / 'quizzes'):
        questions = YAML(typ='safe').load(file.read_text())['questions']
        page = visit(f'quizzes/{file.stem}.html')
        assert page.locator('.dq-card').count() == len(questions), file.name
        first = next(i for i, q in enumerate(questions) if q['kind'] == 'single')
        box = page.locator('.dq-card').nth(first)
        box.locator('input').first.check()
        box.locator('button[type=submit]').click()
        assert box.locator('.dq-mark').inner_text() in ('✓ Correct', '✗ Not correct')
        assert 'Recorded values.' in page.locator('#quiz-top').inner_text()
        page.context.close()
