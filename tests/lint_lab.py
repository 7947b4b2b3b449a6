"What the tests of lint share: how messages are collected and checked, and the traps that files can hold."

import json
import re

from quiz_lab import BODY, HEAD, lab

from diffcourse.quiz.author.lint import lint_quiz
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.core.source import BadFile


def messages(text, live=True):
    "All that is said about a text."
    try:
        quiz, document = read_quiz('good.yaml', text)
    except BadFile as e:
        return list(e.messages)
    return lint_quiz(quiz, document, live=live, registry=lab)


def line_of(text, part):
    return text[: text.index(part)].count('\n') + 1


def check_messages(found, text):
    "Messages have their form, and lie inside the file."
    lines = text.count('\n') + 1
    for m in found:
        assert re.fullmatch(r'good\.yaml:\d+:\d+ [A-Z]\d{3} \S.*', str(m)), m
        assert 1 <= m.line <= lines + 1 and m.column >= 1, m
        github = r'::error file=[^,]+,line=\d+,col=\d+,title=[A-Z]\d{3}::[^\n]+'
        assert re.fullmatch(github, m.github()), m
        assert json.dumps(m.to_json())


TRAPS = [  # text, code, line
    ('a: [1, 2\nb: 3\n', 'Y000', 2),
    ('a: "x\nb: 3\n', 'Y000', 3),
    ('a: b: c\n', 'Y000', 1),
    ('a:\n\t- b\n', 'Y000', 2),
    ('a: @b\n', 'Y000', 1),
    ('a: `b\n', 'Y000', 1),
    ('a: 1\n b: 2\n', 'Y000', 2),
    ('a: 1\nb\n', 'Y000', 3),
    ('- a\nb: 1\n', 'Y000', 2),
    ('a: %b\n', 'Y000', 1),
    ('a: "\\q"\n', 'Y000', 1),
    ('a: }\n', 'Y000', 1),
    ('a: 1\nb: \x07\n', 'Y000', 2),
    ('%YAML 9.9\n---\na: 1\n', 'Y000', 1),
    ('%NO\n%NO\n', 'Y000', None),
    ('a: |3x\n  b\n', 'Y000', 1),
    ('a: [1, 2}}\n', 'Y000', 1),
    ('{a: 1, b: [}\n', 'Y000', 1),
    ("a: 'x\n", 'Y000', 2),
    ('? a\n? b\n: - c\n  d\n', 'Y000', None),
    ('a: *x\n', 'Y004', 1),
    ('a: &x 1\n', 'Y004', 1),
    ('a: 1\nb: {<<: *x}\n', 'Y004', 2),
    ('a: &x [1]\nb: *x\n', 'Y004', 1),
    ('a: !!str 1\n', 'Y005', 1),
    ('a: !!python/object/apply:os.system [ls]\n', 'Y005', 1),
    ('a: !include /etc/passwd\n', 'Y005', 1),
    ('a: !!binary aGk=\n', 'Y005', 1),
    ('a: !!set {x}\n', 'Y005', 1),
    ('a: 1\na: 2\n', 'Y006', 2),
    ('{a: 1, "a": 2}\n', 'Y006', 1),
    ('a: {b: 1, c: 2, b: 3}\n', 'Y006', 1),
    ('1: a\n', 'Y007', 1),
    ('true: a\n', 'Y007', 1),
    ('null: a\n', 'Y007', 1),
    ('1.5: a\n', 'Y007', 1),
    ('[a]: b\n', 'Y007', 1),
    ('{a: 1}: b\n', 'Y007', 1),
    ('? [a, b]\n: c\n', 'Y007', 1),
    (': a\n', 'Y007', 1),
    ('a: 1\n---\nb: 2\n', 'Y008', 2),
    ('a: 1\n...\n---\nb: 2\n', 'Y008', 3),
    ('a: ' + '[' * 30 + ']' * 30 + '\n', 'Y009', 1),
    ('a: ' + '{b: ' * 30 + '1' + '}' * 30 + '\n', 'Y009', 1),
    ('\n'.join('  ' * i + 'a:' for i in range(30)) + '\n', 'Y009', 21),
    ('- ' * 30 + 'a\n', 'Y009', 1),
    ('a: ' + '[' * 60_000, 'Y009', 1),
    ('a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\n', 'Y004', 1),
    (
        'a: &a '
        + '['
        + ', '.join('x' * 9)
        + ']\n'
        + ''.join(
            f'{chr(98 + i)}: &{chr(98 + i)} [{", ".join(["*" + chr(97 + i)] * 9)}]\n' for i in range(9)
        ),
        'Y004',
        1,
    ),
    ('', 'S001', 1),
    ('# nothing\n', 'S001', 1),
    ('just text\n', 'S001', 1),
    ('- a\n- b\n', 'S001', 1),
    ('[]\n', 'S001', 1),
    ('null\n', 'S001', 1),
    ('42\n', 'S001', 1),
    ('---\n', 'S001', None),
    ('"x"\n', 'S001', 1),
    ('{}\n', 'S003', 1),
    (HEAD + '  - nothing\n', None, 9),
    (HEAD.replace('Good', '[]') + BODY['single'], 'S001', 3),
    (HEAD.replace('diffcourse.quiz/1', 'diffcourse.quiz/2') + BODY['single'], 'S001', 1),
    (HEAD.replace('variants: 2', 'variants: yes') + BODY['single'], 'S001', 5),
    (HEAD.replace('variants: 2', 'variants: 1e400') + BODY['single'], 'S001', 5),
    (HEAD.replace('variants: 2', 'variants: ' + '9' * 400) + BODY['single'], 'S001', 5),
    (HEAD.replace('variants: 2', 'variants: 2.5') + BODY['single'], 'S001', 5),
    (HEAD.replace('variants: 2', 'variants: 0x2') + BODY['single'], 'S001', 5),
    (HEAD.replace('variants: 2', 'variants: 1_0') + BODY['single'], 'S001', 5),
    (HEAD.replace('id: good', 'id: 2024-01-01T00:00:00Z') + BODY['single'], 'S001', 2),
    (HEAD.replace('int: [0, 9]', 'int: [9, 0]') + BODY['single'], 'S005', 4),
    (HEAD.replace('int: [0, 9]', 'int: [0, .inf]') + BODY['single'], 'S001', 4),
    (HEAD.replace('int: [0, 9]', 'int: [0, .nan]') + BODY['single'], 'S001', 4),
    (HEAD.replace('int: [0, 9]', 'int: [0]') + BODY['single'], None, 4),
    (HEAD.replace('n: {int', 'run: {int') + BODY['single'], 'S005', 4),
    (HEAD, None, None),
    (HEAD + BODY['single'] + BODY['single'], 'S005', None),
    (HEAD + BODY['single'].replace('id: effect', 'id: ../x'), 'S001', 9),
    (HEAD + BODY['single'].replace('id: effect', 'id: "a b"'), 'S001', 9),
    (HEAD + BODY['single'].replace('id: effect', 'id: ""'), 'S001', 9),
    (HEAD + BODY['single'].replace('id: effect', 'id: ' + 'x' * 65), 'S001', 9),
    (HEAD + BODY['numeric'].replace('rel: 0.01', 'rel: -1'), 'S001', None),
    (HEAD + BODY['numeric'].replace('{rel: 0.01}', '0.01'), 'S001', None),
    (HEAD + BODY['numeric'].replace('rel: 0.01', 'rel: .nan'), 'S001', None),
    (HEAD + BODY['numeric'].replace('rel: 0.01', 'rel: no'), 'S001', None),
    (HEAD + BODY['numeric'].replace('from: mix.ratio}\n', 'from: __import__("os")}\n'), None, None),
    (HEAD + BODY['numeric'].replace('{from: mix.ratio}\n', '{eval: 1}\n'), 'S002', None),
    (HEAD + BODY['numeric'].replace('Which share', '"\\ud800"' + ' Which share'), None, None),
    (HEAD + BODY['numeric'].replace('Which share is noise, with seed {n}?', '"\\ud800"'), None, None),
]

# name -> bytes of the file, code, line
FILES = {
    'utf16': ('id: ü\n'.encode('utf-16'), 'Y003', 1),
    'utf16-be': (b'\xfe\xff' + 'id: x'.encode('utf-16-be'), 'Y003', 1),
    'utf32': ('id: x'.encode('utf-32'), 'Y003', 1),
    'latin': ('a: 1\nb: é\n'.encode('latin-1'), 'Y003', 2),
    'cp1252': ('a: “x”\n'.encode('cp1252'), 'Y003', 1),
    'half': (b'a: 1\nb: \xe2\x82', 'Y003', 2),
    'surrogate': (b'a: \xed\xa0\x80', 'Y003', 1),
    'zip': (b'PK\x03\x04\x14\x00\x00', 'Y003', 1),
    'png': (b'\x89PNG\r\n\x1a\n\x00\x00', 'Y003', 3),
    'elf': (b'\x7fELF\x02\x01\x01\x00', 'Y003', 1),
    'nul': (b'a: 1\nb: 2\nc: \x00\n', 'Y003', 3),
    'gzip': (b'\x1f\x8b\x08\x00', 'Y003', 1),
    'random': (bytes(range(255, 0, -1)), 'Y003', 1),
    'bom': (b'\xef\xbb\xbfa: [\n', 'Y000', None),
    'big': (b'a: "' + b'x' * 10_000_000 + b'"\n', 'Y002', 1),
    'big-list': (b'[' + b'1,' * 5_000_000, 'Y002', 1),
    'big-deep': (b'[' * 10_000_000, 'Y002', 1),
    'big-lines': (b'\n' * 10_000_000, 'Y002', 1),
    'almost': (b'a: [' + b'1, ' * 42_000 + b'1]\n', 'Y010', 1),
    'almost-keys': (b''.join(b'k%d: 1\n' % i for i in range(11_000)), None, None),
    'crlf': (b'a: 1\r\nb: [\r\n', 'Y000', None),
    'cr': (b'a: 1\rb: 1\ra: 2\r', 'Y006', 3),
}
