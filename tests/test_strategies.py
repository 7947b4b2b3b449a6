"Answer sheets of the strategies: each answers every question that counts, in a form that can be read."

import pytest

import strategies
from diffcourse.quiz.core.folder import quiz_files
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.ground.values import Values

NAMES = [p.stem for p in quiz_files(strategies.SHEETS)]


def counted(name):
    quiz, _ = read_quiz(strategies.ROOT / 'quizzes' / f'{name}.yaml')
    return quiz, [q for q in quiz.questions if q.scored and q.weight]


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.parametrize('strategy', strategies.BY_HAND)
def test_a_sheet_answers_what_is_asked(name, strategy):
    _, questions = counted(name)
    assert set(strategies.sheet_of(name)[strategy]) == {q.id for q in questions}


@pytest.mark.parametrize('name', NAMES)
def test_answers_without_reading_name_what_is_there(name):
    quiz, questions = counted(name)
    values = Values(quiz, 0)
    values.text = lambda text: text  # nothing has to be measured for this
    for q in questions:
        ids = {o.id for o in q.things()}
        for strategy in strategies.WITHOUT_READING:
            given = strategies.pick(q, values, strategy)
            flat = given.values() if isinstance(given, dict) else given
            chosen = flat if not isinstance(given, str) else [given]
            assert given is None or set(chosen) <= ids or q.kind == 'match', (q.id, strategy)
