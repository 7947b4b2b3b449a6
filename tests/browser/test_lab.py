"""The first lesson in a real JupyterLab in a real browser: it runs, its slider moves a picture, its
questions are marked."""

import os
import shutil

import pytest

from conftest import ROOT
from lab_server import ALL_RUN, ERRORS, READY, lab_on

pytestmark = pytest.mark.slow

LESSON = ROOT / 'nbs/lessons/00_start.ipynb'
MINUTES = 60_000 * float(os.environ.get('PATIENCE', 1))  # milliseconds; a busy machine is slow, not broken


@pytest.fixture
def lab(tmp_path):
    "`diffcourse lab` on a copy of the lesson. The address that it prints."
    with lab_on(shutil.copy(LESSON, tmp_path / LESSON.name)) as address:
        yield address


def picture(box):
    "What the visible picture shows, as the address of its data."
    return box.locator('img:visible').first.get_attribute('src')


def move_slider(page):
    """Pull the first slider that comes with a picture by one step, from the keyboard; the picture before
    and after."""
    slider = page.locator('.jp-OutputArea-output:has(.noUi-handle):has(img)').first
    slider.scroll_into_view_if_needed()
    slider.locator('img:visible').first.wait_for(timeout=MINUTES)
    before = picture(slider)
    for key in ('ArrowRight', 'ArrowLeft'):  # it may stand at its end
        slider.locator('.noUi-handle').first.focus()
        page.keyboard.press(key)
        page.wait_for_timeout(600)
        if picture(slider) != before:
            break
    return before, picture(slider)


def answer_a_choice(page):
    "Try the options of the first question with radio buttons. What was said to each."
    card = page.locator('.dc-card:has(input[type=radio])').first
    card.scroll_into_view_if_needed()
    said = []
    for i in range(card.locator('input[type=radio]').count()):
        card.locator('input[type=radio]').nth(i).check()
        card.get_by_role('button', name='Check').first.click()
        page.wait_for_timeout(300)
        card.locator('.dc-said').wait_for(timeout=5 * MINUTES)
        said.append(card.locator('.dc-said').get_attribute('class').split('dc-')[-1])
        assert card.locator('.dc-said').inner_text().strip()
    return said


def test_first_lesson_in_jupyterlab(lab, browser):
    page = browser.new_context(viewport=dict(width=1400, height=1000)).new_page()
    trouble = []
    page.on('pageerror', lambda e: trouble.append(str(e)))
    page.goto(lab)
    page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=2 * MINUTES)
    page.evaluate(READY)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(ALL_RUN, timeout=10 * MINUTES, polling=1000)
    assert page.evaluate(ERRORS) == []
    before, after = move_slider(page)
    assert before and after and before != after, 'the slider moved and the picture stayed the same'
    said = answer_a_choice(page)
    assert said.count('correct') == 1 and set(said) <= {'correct', 'incorrect'}, (
        f'marks of the options: {said}'
    )
    assert not trouble, trouble
