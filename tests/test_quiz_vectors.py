"Readers, chance and marks are the same in every language: the shared vectors."

import json

import pytest
from make_vectors import FOLDER, QUIZ, tried, vectors

from diffcourse.quiz.core.grade import grade
from diffcourse.quiz.core.schema import QuizFile
from diffcourse.quiz.ground.answers import (
    normal,
    read_choice,
    read_choices,
    read_named,
    read_number,
    read_order,
    read_shape,
    read_text,
)
from diffcourse.quiz.ground.rng import draws, hash32, shuffled, whole_between
from diffcourse.quiz.ground.values import Values

pytestmark = pytest.mark.usefixtures('stood_in')


READERS = {
    'shape': read_shape,
    'choice': read_choice,
    'choices': read_choices,
    'order': read_order,
    'named': read_named,
}


def stored(name):
    return json.loads((FOLDER / f'{name}.json').read_text('utf-8'))


def test_there_are_enough_vectors():
    files = {p.stem: stored(p.stem) for p in FOLDER.glob('*.json')}
    assert sum(len(f['cases'] if isinstance(f, dict) else f) for f in files.values()) >= 300
    assert set(files) == {'numbers', 'texts', 'answers', 'chance', 'marks'}
    assert {json.dumps(c['result']['state']) for c in files['marks']['cases']} == {
        f'"{s}"' for s in ('correct', 'partial', 'incorrect', 'invalid', 'review')
    }


def test_vectors_of_numbers_and_texts():
    for c in stored('numbers'):
        assert tried(read_number, c['given'], c.get('unit', '')) == {
            k: v for k, v in c.items() if k in ('value', 'invalid')
        }, c
    for c in stored('texts'):
        read = tried(read_text, c['given'])
        assert normal(c['given']) == c['normal'], c
        assert ('value' in read) == ('value' in c), c
        assert read.get('value') == c.get('value'), c


def test_vectors_of_answers():
    for c in stored('answers'):
        assert tried(READERS[c['reads']], c['given'], *([c['ids']] if 'ids' in c else [])) == {
            k: v for k, v in c.items() if k in ('value', 'invalid')
        }, c


def test_vectors_of_chance():
    for c in stored('chance'):
        source = draws(c['key'])
        assert hash32(c['key']) == c['hash32']
        assert [next(source) for _ in c['draws']] == c['draws']
        assert shuffled(c['key'], list('abcdefg')) == c['shuffled']
        assert shuffled(c['key'], [0, 1]) == c['two']
        assert [whole_between(c['key'], 0, 9), whole_between(c['key'], -50, 10**6)] == c['whole']


def test_vectors_of_marks():
    file = stored('marks')
    quiz = QuizFile.model_validate_json(json.dumps(file['quiz']), strict=True)
    assert file['quiz'] == QUIZ
    for c in file['cases']:
        v = Values(quiz, c['variant'])
        question = quiz.question(c['result']['question'])
        assert v.params == c['params'], c
        assert grade(question, c['given'], v).to_json() == c['result'], c


def test_vectors_are_what_the_script_writes():
    for name, cases in vectors().items():
        assert json.loads(json.dumps(cases)) == stored(name)
