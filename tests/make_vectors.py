"""Write tests/vectors/*.json: what answers, marks and shuffles must be in every language. Run it after a
change that is meant; `git diff` then shows what the change does."""

import json
from pathlib import Path

from ruamel.yaml import YAML

from diffcourse.quiz.ground.answers import (
    Unreadable,
    normal,
    read_choice,
    read_choices,
    read_named,
    read_number,
    read_order,
    read_shape,
    read_text,
)
from diffcourse.quiz.core.grade import grade
from diffcourse.quiz.ground.rng import draws, hash32, shuffled, whole_between
from diffcourse.quiz.core.schema import QuizFile
from diffcourse.quiz.ground.values import Values

FOLDER = Path(__file__).parent / 'vectors'
DATA = YAML(typ='safe').load((Path(__file__).parent / 'data/vector_inputs.yaml').read_text('utf-8'))
QUIZ = DATA['quiz']
IDS = ['up', 'down', 'left', 'right']
READERS = {  # the reader of each form of answer, and the ids that it may name
    'shape': (read_shape, DATA['shapes'], None),
    'choice': (read_choice, DATA['choices'], IDS),
    'choices': (read_choices, DATA['several'], IDS),
    'order': (read_order, DATA['orders'], IDS),
    'named': (read_named, DATA['named'], ['a', 'b']),
}


def tried(read, *args, **kw):
    "What a reader makes of an answer."
    try:
        value = read(*args, **kw)
    except Unreadable as e:
        return {'invalid': str(e)}
    return {'value': list(value) if isinstance(value, tuple) else value}


def number_vectors():
    "Numbers as they are typed, then numbers with a unit."
    plain = [{'given': g, **tried(read_number, g)} for g in DATA['numbers']]
    return plain + [{'given': g, 'unit': unit, **tried(read_number, g, unit)} for g, unit in DATA['units']]


def answer_vectors():
    "Answers in every form but numbers and texts."
    found = []
    for name, (read, answers, ids) in READERS.items():
        for given in answers:
            if ids is None:
                found.append({'reads': name, 'given': given, **tried(read, given)})
            else:
                found.append({'reads': name, 'given': given, 'ids': ids, **tried(read, given, ids)})
    return found


def text_vectors():
    "Texts, in the form in which they are compared."
    found = []
    for given in DATA['texts']:
        outcome = tried(read_text, given)
        if 'invalid' in outcome:  # the words of the message may differ
            outcome = {'invalid': True}
        found.append({'given': given, 'normal': normal(given), **outcome})
    return found


def chance_vectors(key):
    "What depends on `key` alone."
    draw = draws(key)
    return {
        'key': key,
        'hash32': hash32(key),
        'draws': [next(draw) for _ in range(5)],
        'shuffled': shuffled(key, list('abcdefg')),
        'two': shuffled(key, [0, 1]),
        'whole': [whole_between(key, 0, 9), whole_between(key, -50, 10**6)],
    }


def mark_vectors(variant):
    "Marks of answers to each question; of later variants the first two answers are enough."
    quiz = QuizFile.model_validate_json(json.dumps(QUIZ), strict=True)
    found = []
    for name, answers in DATA['given'].items():
        for given in answers if variant == 0 else answers[:2]:
            result = grade(quiz.question(name), given, Values(quiz, variant))
            found.append(
                {
                    'variant': variant,
                    'params': Values(quiz, variant).params,
                    'result': result.to_json(),
                    'given': given,
                }
            )
    return found


def vectors():
    "name of a file → what is in it."
    return {
        'numbers': number_vectors(),
        'texts': text_vectors(),
        'answers': answer_vectors(),
        'chance': [chance_vectors(key) for key in DATA['keys']],
        'marks': {'quiz': QUIZ, 'cases': mark_vectors(0) + mark_vectors(1)},
    }


def file_text(cases):
    "A file of vectors: one case a line."
    if isinstance(cases, dict):
        quiz = json.dumps(cases['quiz'], ensure_ascii=False)
        start, rows, end = f'{{"quiz": {quiz},\n"cases": [\n', cases['cases'], '\n]}\n'
    else:
        start, rows, end = '[\n', cases, '\n]\n'
    return start + ',\n'.join(json.dumps(row, ensure_ascii=False) for row in rows) + end


if __name__ == '__main__':
    FOLDER.mkdir(exist_ok=True)
    for name, cases in vectors().items():
        (FOLDER / f'{name}.json').write_text(file_text(cases), 'utf-8')
        print(name)
