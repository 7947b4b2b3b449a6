"Live values: their operations, and right answers that move with the model."

import pytest
from kinds_lab import ALL, ID, ask, values
from quiz_lab import BODY, HEAD, lab, mixing

from diffcourse.quiz.core.grade import grade, right_answer
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.ground.parts import Live
from diffcourse.quiz.ground.values import BrokenQuiz, Values
from diffcourse.quiz.probe.registry import Registry, probe

pytestmark = pytest.mark.usefixtures('stood_in')


OPERATIONS = [
    ({'ratio': [1, 4]}, 0.25),
    ({'difference': [1, 4]}, -3),
    ({'round': [{'ratio': [2, 3]}, 2]}, 0.67),
    ({'round': [2.5, 0]}, 2),
    ({'equal': [0.1 + 0.2, 0.3]}, True),
    ({'equal': ['a', 'a']}, True),
    ({'equal': [1, True]}, False),
    ({'equal': [1, '1']}, False),
    ({'rises': [1, 2, 3]}, True),
    ({'rises': [1, 1]}, False),
    ({'falls': [3, 2, 2.5]}, False),
    ({'falls': {'a': 2, 'b': 1}}, True),
    ({'argmax': [1, 9, 3]}, 1),
    ({'argmax': {'a': 1, 'b': 0}}, 'a'),
    ({'argmin': {'a': 1, 'b': 0}}, 'b'),
    ({'argmax': [1, 1]}, BrokenQuiz),
    ({'rank': {'a': 1, 'b': 3, 'c': 2}}, ['b', 'c', 'a']),
    ({'rank': [1, 1, 2]}, BrokenQuiz),
    ({'ratio': [1, 0]}, BrokenQuiz),
    ({'ratio': [1, 'x']}, BrokenQuiz),
    ({'difference': [True, 0]}, BrokenQuiz),
    ({'from': 'mix.sweep.1'}, 0.25),
    ({'from': 'mix.by.c'}, 2.0),
    ({'from': 'mix.sweep.9'}, BrokenQuiz),
    ({'from': 'mix.nothing'}, BrokenQuiz),
    ({'from': 'max.ratio'}, BrokenQuiz),
    ({'argmax': {'from': 'mix.by'}}, 'a'),
    ({'rank': {'from': 'mix.sweep'}}, [2, 1, 0]),
    ({'rises': {'from': 'mix.ratio'}}, BrokenQuiz),
    ({'argmax': {'a': {'ratio': [{'from': 'mix.ratio'}, 0.5]}, 'b': 0.4}}, 'a'),
]


@pytest.mark.parametrize('value,want', OPERATIONS, ids=lambda x: str(x)[:40])
def test_the_algebra(value, want):
    quiz, _ = read_quiz('good.yaml', HEAD.replace('seed: $n', 'seed: 0') + BODY['numeric'])
    v = Values(quiz, registry=lab)
    if want is BrokenQuiz:
        pytest.raises(BrokenQuiz, v.get, Live.model_validate(value))
    else:
        got = v.get(Live.model_validate(value))
        assert got == want
        assert type(got) is type(want)


@pytest.mark.parametrize(
    'kind', ['numeric', 'shape', 'cloze', 'order', 'match', 'image', 'predict', 'short', 'single']
)
def test_live_keys_move_with_the_model(kind):
    "Another model, another key; the old answer no longer scores."
    other = Registry()

    @probe('mixing', version=9, registry=other)
    def changed(noise: float, seed: int = 0, wobble: float = 0.0) -> lab['mixing'].outcome:
        "Another model."
        value, evidence = mixing(noise, seed, wobble)
        return value.model_copy(
            update=dict(
                ratio=2.5,
                sweep=[3.0, 2.0, 1.0],
                shape=[2, 4, 16, 8],
                word='entropy',
                by={'a': 1.0, 'b': 2.0, 'c': 3.0},
            )
        ), evidence

    q = ALL.question(ID[kind])
    if kind == 'single':
        q, _ = ask(BODY['single'].replace('{rises: [0, {from: mix.ratio}]}', '{rises: {from: mix.sweep}}'))
    before, after = values(), Values(ALL, registry=other)
    assert right_answer(q, before) != right_answer(q, after)
    assert grade(q, right_answer(q, before), before).score == 1
    assert grade(q, right_answer(q, before), after).score < 1
    assert grade(q, right_answer(q, after), after).score == 1
