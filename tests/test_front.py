"The front page: what it links to is there, and all there is of lessons is linked."

import json
import re

import pytest

from conftest import ROOT

TEXT = '\n'.join(
    ''.join(c['source']) for c in json.loads((ROOT / 'nbs/index.ipynb').read_text(encoding='utf-8'))['cells']
)
README = (ROOT / 'README.md').read_text(encoding='utf-8')
LESSONS = sorted(p.name for p in (ROOT / 'nbs/lessons').glob('*.ipynb'))


@pytest.mark.parametrize('name', LESSONS)
def test_each_lesson_is_on_the_path(name):
    assert re.search(rf'\| {name[:2]} \| \[\w+\]\(lessons/{re.escape(name)}\)', TEXT), (
        f'link {name} in the table of nbs/index.ipynb'
    )


def test_links_lead_somewhere():
    for to in re.findall(r'\]\(([^)\s]+)\)', README):
        if not re.match(r'https?:', to):
            assert (ROOT / to).exists(), f'README.md links {to}, which is not there'


def test_pictures_are_small():
    found = list((ROOT / 'nbs/images').glob('*'))
    assert found and all(p.stat().st_size <= 300_000 for p in found), [
        (p.name, p.stat().st_size) for p in found
    ]


def test_folders_of_the_map_are_there():
    block = re.search(r'## Where things are\n+```\n(.*?)```', README, re.S)[1]
    above = ''
    for line in block.splitlines():
        name = line.split()[0]
        path = above + name if line.startswith(' ') else name
        if not line.startswith(' '):
            above = name
        assert (ROOT / path).exists(), path


def test_commands_are_known():
    from typer.main import get_command

    from diffcourse.commands.cli import app

    for words in re.findall(r'^(?:\S*/)?diffcourse (.*?)(?:  +#|$)', README, re.M):
        command = get_command(app)
        for w in words.split():
            if w in getattr(command, 'commands', {}):
                command = command.commands[w]
            elif getattr(command, 'commands', {}):
                raise AssertionError(f'diffcourse {words}')
        known = {o for p in command.params for o in p.opts}
        assert set(re.findall(r' (--[a-z]+)', words)) <= known, words
