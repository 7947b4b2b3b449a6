"""Write tests/vectors/*.json: what answers, marks and shuffles must be in every language. Run it after a
change that is meant; `git diff` then shows what the change does."""

import json
from pathlib import Path

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
IDS = ['up', 'down', 'left', 'right']

NUMBERS = [
    '0',
    '7',
    '-7',
    '+7',
    '1.5',
    ' 1.5 ',
    '.5',
    '5.',
    '-.5',
    '1e3',
    '1E3',
    '1e-3',
    '1.5e+2',
    '−2',
    '–2',
    '3/2',
    '-3/2',
    '3/-2',
    '6 / 4',
    '0.5/0.25',
    '50%',
    '50 %',
    '１.5',
    '12.5 %',
    '1/4 %',
    '15×10^-1',
    '15*10**2',
    '2 x 10 ^ 3',
    '15×10⁻¹',
    '2·10³',
    '1e308',
    '1e-320',
    '0.1',
    '100000000000000000000',
    '3⁄4',
    '1\u00a0%',
    '-0',
    '00012',
    '7.000',
    '1e0',
    7,
    -7,
    0,
    1.5,
    1e300,
    -0.25,
    '',
    ' ',
    'seven',
    '1,5',
    '1.000,5',
    '1,000',
    'nan',
    'NaN',
    'inf',
    '-inf',
    'Infinity',
    '1e999',
    '1/0',
    '0/0',
    '1/2/3',
    '1 2',
    '0x10',
    '1_000',
    '١',
    '½',
    '1½',
    '--1',
    '+-1',
    'e5',
    '1e',
    '1e5.5',
    '%',
    '.',
    '5 dB',
    '9' * 61,
    '1e99999',
    '$5',
    'True',
    'null',
    '1 %%',
    '10^',
    '2^3',
    None,
    True,
    False,
    [],
    [1],
    {},
    {'a': 1},
]
UNITS = [
    ('30 dB', 'dB'),
    ('30dB', 'dB'),
    ('30', 'dB'),
    ('dB', 'dB'),
    ('30 db', 'dB'),
    ('5 px', 'px'),
    ('50 %', '%'),
    ('5 s s', 's'),
]
TEXTS = [
    'U-Net',
    'u‑net',
    'U_Net.',
    ' the “U Net” ',
    'Ｕ－Ｎｅｔ',
    'u\u200b-net',
    'The  Variational   Autoencoder',
    'a',
    'an',
    'the',
    'A VAE',
    'Bayes’ rule',
    "Bayes' rule",
    '(noise)',
    '«bruit»',
    'ÉCOLE',
    'ﬁne',
    'x²',
    'Straße',
    'DDIM!',
    'what?',
    '`x0`',
    '"x"',
    'a  b\tc\nd',
    'İstanbul',
    'theory',
    'another',
    '—',
    '...',
    '',
    ' ',
    '½',
    'Σίσυφος',
    'e\u0301cole',
]
SHAPES = [
    [1, 4, 16, 16],
    '1, 4, 16, 16',
    '(1, 4, 16, 16)',
    '[1,4,16,16]',
    'torch.Size([1, 4, 16, 16])',
    'Size([2])',
    '1x4x16x16',
    '1 × 4 × 16',
    '1*2',
    '1 4 16 16',
    '7',
    7,
    '(7,)',
    '7,',
    [],
    '()',
    '[]',
    'torch.Size([])',
    [0, 3],
    '0, 3',
    'shape: 2, 3',
    '２，３',
    None,
    '',
    ' ',
    'four',
    '1,-4',
    '1.5, 2',
    [1, 2.5],
    [1, True],
    ['1'],
    True,
    {},
    '1,,2',
    '(1, 2',
    '1, 2)',
    [1] * 11,
    [-1],
    '1000000000',
    ',',
    '1;2',
    'torch.Size',
]
CHOICES = [
    'up',
    ' up ',
    ['up'],
    [' down '],
    None,
    '',
    [],
    'UP',
    'upp',
    'nothing',
    True,
    0,
    ['up', 'down'],
    [['up']],
    {'up': 1},
    [None],
]
SEVERAL = [
    ['up'],
    ['down', 'up'],
    'up',
    'up, down',
    'down,up,',
    ['up', 'up'],
    ['right', 'left', 'down', 'up'],
    None,
    '',
    [],
    ',',
    ['upp'],
    5,
    True,
    [True],
    [['up']],
]
ORDERS = [
    ['up', 'down', 'left', 'right'],
    'right left down up',
    'up,down,left,right',
    'up > down > left > right',
    'up; down; left; right',
    ['up'],
    ['up', 'up', 'down', 'left'],
    ['up', 'down', 'left', 'rigth'],
    None,
    '',
    [],
    7,
    [1, 2, 3, 4],
    'up down left right up',
]
NAMED = [
    {'a': 1, 'b': 2},
    {'b': 2, 'a': 1},
    [1, 2],
    ['x', 'y'],
    'a=1; b=2',
    'b = 2\na = 1',
    '1; 2',
    'a=1',
    'a=1; a=2',
    'a=1; c=2',
    {'a': 1},
    {'a': 1, 'b': ''},
    {'a': 1, 'b': None},
    {'a': 1, 'b': 2, 'c': 3},
    [1],
    [1, 2, 3],
    None,
    '',
    [],
    {},
    5,
    True,
    'x=y=z; b=2',
    {' a ': 1, 'b': 2},
]
KEYS = [
    '',
    'a',
    'foobar',
    'guidance/0',
    'guidance/scale/3',
    'ünïcödé',
    '00_start/equal-pairs/1',
    'x' * 100,
    '漢字',
    '🙂',
]


def tried(read, *args, **kw):
    "What a reader makes of an answer."
    try:
        value = read(*args, **kw)
    except Unreadable as e:
        return {'invalid': str(e)}
    return {'value': list(value) if isinstance(value, tuple) else value}


QUESTIONS = {
    'number': {
        'kind': 'numeric',
        'answer': 0.25,
        'tolerance': {'rel': 0.01, 'abs': 0.001},
        'unit': 'dB',
        'wrong': [
            {'tag': 'root', 'near': 0.5, 'feedback': 'Square it.'},
            {'tag': 'minus', 'near': -0.25, 'feedback': 'The other sign.'},
        ],
    },
    'exact': {'kind': 'numeric', 'answer': 20},
    'one': {
        'kind': 'single',
        'answer': 'up',
        'options': [
            {'id': 'up', 'text': 'Up'},
            {'id': 'down', 'text': 'Down', 'feedback': 'Other way.', 'tag': 'reversed'},
            {'id': 'none', 'text': 'Neither', 'feedback': 'It moves.'},
        ],
    },
    'near': {
        'kind': 'single',
        'answer': 0.52,
        'tolerance': {'abs': 0.05},
        'options': [
            {'id': 'half', 'text': 'half', 'value': 0.5},
            {'id': 'third', 'text': 'third', 'value': 0.33, 'feedback': 'No.'},
        ],
    },
    'many': {
        'kind': 'multiple',
        'answer': ['a', 'b', 'c'],
        'options': [{'id': i, 'text': i.upper(), 'feedback': f'{i}!', 'tag': f't{i}'} for i in 'abcde'],
    },
    'shape': {
        'kind': 'shape',
        'answer': [1, 4, 16, 8],
        'axes': ['batch', 'channels', 'height', 'width'],
        'wrong': [{'tag': 'pixels', 'near': [1, 3, 128, 64], 'feedback': 'That is the picture.'}],
    },
    'scalar': {'kind': 'shape', 'answer': []},
    'short': {
        'kind': 'short',
        'answer': ['U-Net', 'unet'],
        'wrong': [{'tag': 'coder', 'near': ['VAE', 'autoencoder'], 'feedback': 'That one makes pixels.'}],
    },
    'cloze': {
        'kind': 'cloze',
        'text': 'x = [[a]] x0 + [[b]] eps, [[more]], [[word]]',
        'gaps': {
            'a': {'answer': 0.6, 'tolerance': {'abs': 0.01}},
            'b': {'answer': 0.8, 'wrong': [{'tag': 'squared', 'near': 0.64, 'feedback': 'Take the root.'}]},
            'more': {'answer': 'noise', 'options': ['noise', 'picture'], 'feedback': 'Which one?'},
            'word': {'answer': ['latent', 'latents']},
        },
    },
    'match': {
        'kind': 'match',
        'left': [
            {'id': 'unet', 'text': 'U-Net'},
            {'id': 'vae', 'text': 'VAE', 'feedback': 'Think of pixels.'},
            {'id': 'clip', 'text': 'CLIP'},
        ],
        'right': [{'id': i, 'text': i} for i in ('eps', 'px', 'words', 'sound')],
        'answer': {'unet': 'eps', 'vae': 'px', 'clip': 'words'},
    },
    'order': {
        'kind': 'order',
        'items': [{'id': i, 'text': i, 'feedback': f'{i}?' if i in 'ad' else ''} for i in 'dbace'],
        'answer': list('abcde'),
    },
    'guess': {'kind': 'predict', 'answer': 12, 'tolerance': {'rel': 0.25}},
    'think': {'kind': 'reflect', 'answer': 'Many are surprised.'},
}
QUIZ = {
    'schema': 'diffcourse.quiz/1',
    'id': 'vectors',
    'title': 'Vectors',
    'variants': 3,
    'params': {'n': {'int': [0, 9]}, 'big': {'int': [0, 99999]}, 'ink': {'choice': ['red', 'green', 'blue']}},
    'questions': [
        {
            'id': n,
            'prompt': 'P',
            'explain': 'It is {answer}, you said {given}; n is {n}, ink {ink}.' if n != 'think' else '',
            **q,
        }
        for n, q in QUESTIONS.items()
    ],
}
GIVEN = {
    'number': [
        0.25,
        '1/4',
        '25 %',
        '0.25 dB',
        0.2525,
        0.2526,
        0.2474,
        0.2475,
        '0.5',
        -0.25,
        '−0.25',
        9,
        'nan',
        True,
        None,
        '',
        '0,25',
        [0.25],
        'x',
    ],
    'exact': [20, '20', '20.0', '2e1', 20.5, 19, '40/2', 'inf', False, {}],
    'one': ['up', 'down', 'none', ['up'], 'UP', None, '', ['up', 'down'], 1],
    'near': ['half', 'third', 'full'],
    'many': [
        ['a', 'b', 'c'],
        'c,b,a',
        ['a'],
        ['a', 'b'],
        ['a', 'd'],
        ['a', 'b', 'd'],
        ['a', 'b', 'c', 'd'],
        list('abcde'),
        ['d', 'e'],
        ['e'],
        [],
        None,
        'f',
        ['a', 'a'],
    ],
    'shape': [
        '1, 4, 16, 8',
        [1, 4, 16, 8],
        [4, 16, 8],
        [1, 1, 4, 16, 8],
        [1, 4, 16, 8, 1],
        [1, 4, 128],
        [1, 4, 8, 16],
        [1, 16, 8, 4],
        [1, 3, 128, 64],
        [1, 4, 16, 16],
        [2, 3, 5, 7],
        [512],
        '()',
        'four',
        None,
        [1, True, 16, 8],
    ],
    'scalar': ['()', [], 1, '1'],
    'short': ['U-Net', 'unet', 'the U net.', 'VAE', 'an autoencoder', 'CLIP', '', None, 7, True, 'x' * 201],
    'cloze': [
        [0.6, 0.8, 'noise', 'latent'],
        {'a': '0.6', 'b': '4/5', 'more': 'Noise', 'word': 'Latents'},
        'a=0.6; b=0.64; more=picture; word=x',
        [0.605, 0.8, 'noise', 'latent'],
        [0.62, 0.8, 'noise', 'latent'],
        [0.6, 0.8, 'sound', 'latent'],
        [0.6, 'nan', 'noise', 'latent'],
        [0.6, '', 'noise', 'latent'],
        [0, 0, 'picture', 'x'],
        None,
        {},
        5,
    ],
    'match': [
        {'unet': 'eps', 'vae': 'px', 'clip': 'words'},
        ['eps', 'px', 'words'],
        'unet=eps; vae=words; clip=px',
        ['eps', 'eps', 'eps'],
        ['sound', 'sound', 'sound'],
        ['eps', 'px'],
        ['eps', 'px', 'no'],
        None,
        {'unet': 'eps'},
    ],
    'order': [
        'a b c d e',
        list('edcba'),
        list('bacde'),
        list('bcdea'),
        list('acbed'),
        list('abced'),
        'a b c d',
        'a b c d d',
        None,
        [],
    ],
    'guess': [12, 9, 15, 8.99, '15.01', 'twelve', None],
    'think': ['It works.', '', None, True],
}


def vectors():
    "name of a file → what is in it."
    quiz = QuizFile.model_validate_json(json.dumps(QUIZ), strict=True)
    numbers = [{'given': g, **tried(read_number, g)} for g in NUMBERS] + [
        {'given': g, 'unit': u, **tried(read_number, g, u)} for g, u in UNITS
    ]
    readers = {
        'shape': (read_shape, SHAPES, ()),
        'choice': (read_choice, CHOICES, (IDS,)),
        'choices': (read_choices, SEVERAL, (IDS,)),
        'order': (read_order, ORDERS, (IDS,)),
        'named': (read_named, NAMED, (['a', 'b'],)),
    }
    answers = [
        {'reads': name, 'given': g, **({'ids': more[0]} if more else {}), **tried(read, g, *more)}
        for name, (read, many, more) in readers.items()
        for g in many
    ]
    texts = [
        {
            'given': t,
            'normal': normal(t),
            **({'value': v['value']} if 'value' in (v := tried(read_text, t)) else {'invalid': True}),
        }
        for t in TEXTS
    ]
    chance = [
        {
            'key': k,
            'hash32': hash32(k),
            'draws': [next(d) for d in [draws(k)] for _ in range(5)],
            'shuffled': shuffled(k, list('abcdefg')),
            'two': shuffled(k, [0, 1]),
            'whole': [whole_between(k, 0, 9), whole_between(k, -50, 10**6)],
        }
        for k in KEYS
    ]
    marks = [
        {
            'variant': v,
            'params': Values(quiz, v).params,
            'result': grade(quiz.question(n), g, Values(quiz, v)).to_json(),
            'given': g,
        }
        for v in range(2)
        for n, many in GIVEN.items()
        for g in (many if v == 0 else many[:2])
    ]
    return {
        'numbers': numbers,
        'texts': texts,
        'answers': answers,
        'chance': chance,
        'marks': {'quiz': QUIZ, 'cases': marks},
    }


if __name__ == '__main__':
    FOLDER.mkdir(exist_ok=True)
    for name, cases in vectors().items():
        rows = cases['cases'] if isinstance(cases, dict) else cases
        lines = ',\n'.join(json.dumps(c, ensure_ascii=False) for c in rows)
        start = (
            '{"quiz": ' + json.dumps(QUIZ, ensure_ascii=False) + ',\n"cases": [\n'
            if isinstance(cases, dict)
            else '[\n'
        )
        (FOLDER / f'{name}.json').write_text(
            start + lines + ('\n]}\n' if isinstance(cases, dict) else '\n]\n'), 'utf-8'
        )
        print(name, len(rows))
