"Every rule of lint is tripped, at its line; hundreds of broken files give messages, never a traceback."

import re
import time
from pathlib import Path

import pytest
from lint_lab import FILES, TRAPS, check_messages, line_of, messages
from quiz_lab import EVERYTHING, GOOD, HEAD, lab
from ruamel.yaml import YAML

import diffcourse
from diffcourse.base.errors import BadInput
from diffcourse.quiz.author.lint import lint_files, lint_quiz
from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.author.skeleton import new_quiz
from diffcourse.quiz.core.source import Message
from diffcourse.quiz.ground.values import Values


pytestmark = pytest.mark.usefixtures('stood_in')

# ---- good files


@pytest.mark.parametrize('kind', GOOD)
def test_a_good_file_of_each_kind_is_clean(kind):
    assert [str(m) for m in messages(GOOD[kind])] == []


def test_all_kinds_in_one_file_are_clean():
    assert [str(m) for m in messages(EVERYTHING)] == []


# ---- every rule: kind of the file, old text, new text, code, and the text on whose line (of the new file)
# the message is; None: the line of the change

WOBBLE = ('seed: $n}', 'seed: $n, wobble: 0.5}')
RULES = [
    ('single', 'kind: single', 'kind: sinlge', 'S004', None),
    ('single', '    kind: single\n', '', 'S004', '- id: effect'),
    ('single', 'text: It lowers', 'txet: It lowers', 'S002', None),
    ('single', '    prompt: What does more noise do, with seed {n}?\n', '', 'S003', '- id: effect'),
    ('single', 'variants: 2', 'variants: two', 'S001', None),
    ('single', 'answer: {rises: [0, {from: mix.ratio}]}', 'answer: [up]', 'S004', None),
    ('single', '{id: up,', '{id: down,', 'S005', 'It raises it'),
    ('match', 'low: {argmin: {from: mix.by}}', 'low: d', 'S005', None),
    ('single', 'use: mixing', 'use: mixin', 'L001', None),
    ('single', 'noise: 0.5', 'noise: 5', 'L002', None),
    ('challenge', 'input: noise', 'input: nose', 'L002', None),
    ('single', '{from: mix.ratio}]}', '{from: mix.rato}]}', 'L003', None),
    ('challenge', 'field: clean', 'field: clear', 'L003', None),
    ('image', 'mix.0.1', 'mux.0.1', 'L003', None),
    ('single', '"{mix.ratio}"', '"{mix.rato}"', 'L004', None),
    ('single', 'seed {n}', 'seed {n', 'L004', None),
    ('single', 'seed {n}', 'seed {m}', 'L004', None),
    ('cloze', 'A share', '{mix.rato} A share', 'L004', None),
    ('image', 'alt: A black', 'alt: "{mix.rato}", feedback: A black', 'Y006', None),
    ('single', '  mix: {', '  mux: {use: mixing, with: {noise: 0.1}}\n  mix: {', 'L005', None),
    ('single', 'params: {n: ', 'params: {k: {int: [0, 1]}, n: ', 'L005', None),
    ('reflect', 'variants: 2', 'variants: 2', '', None),
    ('single', 'lesson', 'lesson', '', None),
    ('single', 'title: Good', 'title: Good\nlesson: 99_nowhere', 'L009', 'lesson:'),
    ('single', '    tests: [{give: up, score: 1}, {give: down, tag: lower}]\n', '', 'L010', '- id: effect'),
    ('numeric', '    tolerance: {rel: 0.01}\n', '', 'L011', 'answer:'),
    ('predict', '    tolerance: {abs: 0.05}\n', '', 'L011', 'answer:'),
    ('numeric', 'answer: {from: mix.ratio}', 'answer: {from: mix.word}', 'L012', None),
    ('numeric', 'answer: {from: mix.ratio}', 'answer: {rises: [1, 2]}', 'L012', None),
    ('numeric', 'near: 0.5', 'near: half', 'L012', None),
    ('shape', 'from: mix.shape', 'from: mix.ratio', 'L012', None),
    ('multiple', 'correct: {from: mix.clean}', 'correct: {from: mix.ratio}', 'L012', None),
    ('single', 'rises: [0, {from: mix.ratio}]', 'rises: [0, {from: mix.word}]', 'L012', None),
    ('order', '{rank: {a: 3, b: {from: mix.ratio}, c: 2}}', '{from: mix.word}', 'L012', None),
    ('cloze', 'share: {answer: {from: mix.ratio}', 'share: {answer: {from: mix.word}', 'L012', None),
    ('multiple', 'rises: {from: mix.sweep}', 'rises: {from: mix.ratio}', 'L012', None),
    ('numeric', 'refs: [diffcourse.quiz.core.grade]', 'refs: [diffcourse.quiz.gade]', 'L013', None),
    ('numeric', 'refs: [diffcourse.quiz.core.grade]', 'refs: [99_nowhere#x]', 'L013', None),
    ('code', 'diffcourse.maths.guidance.cfg', 'diffcourse.maths.guidance.guid', 'L013', None),
    ('single', '{rises: [0, {from: mix.ratio}]}', 'sideways', 'L014', None),
    ('order', 'rank: {a: 3', 'rank: {z: 3', 'L014', None),
    ('match', 'argmax: {a: 3', 'argmax: {z: 3', 'L014', None),
    ('image', 'argmax: {none', 'argmax: {nine', 'L014', None),
    ('cloze', 'answer: mixed, options', 'answer: stirred, options', 'L014', None),
    ('single', ', feedback: Look again.', '', 'L015', 'id: down'),
    ('multiple', ', feedback: It rises.', '', 'L015', 'id: d,'),
    ('numeric', 's0.p1.q18', 's0.p1.q26', 'L016', None),
    ('short', '    tests:', '      - {tag: root, near: x, feedback: No.}\n    tests:', 'L017', 'near: x'),
    ('free', '    rubric:', '    weight: 1\n    rubric:', 'L018', None),
    ('predict', 'noise, with', 'noise, {mix.ratio}, with', 'L019', None),
    ('numeric', '      - {give: 0.5, tag: not-squared}\n', '', 'L020', 'tag: not-squared'),
    ('cloze', '      - {give: [0.25, clean, sigma], tag: root}\n', '', 'L020', 'word: {'),
    ('shape', 'tag: axis-order', 'tag: axes', 'L021', None),
    ('single', '{give: up, score: 1}', '{give: up}', 'L021', None),
    ('code', '    answer: "def half(x): return x/2"', '    answer: "def half(x: return x/2"', 'L022', None),
    ('code', 'starter: "def half', 'starter: "def third', 'L022', None),
    ('single', 'text: It raises it', 'text: it lowers  the share', 'L023', None),
    ('challenge', 'answer: 0.6', 'answer: 0.3', 'Q001', '- id: find'),
    (
        'code',
        '    answer: "def half(x): return x/2"',
        '    answer: "def half(x): return x/3"',
        'Q001',
        '- id: half',
    ),
    (
        'free',
        'model_answer: From noise in small steps.',
        'model_answer: From noise to a picture.',
        'Q001',
        '- id: why',
    ),
    ('numeric', '{give: seven, state: invalid}', '{give: seven, state: incorrect}', 'Q002', None),
    ('order', '{give: [c, a, b], score: 0.5}', '{give: [c, a, b], score: 0.6}', 'Q002', None),
    ('match', '{give: [a, c], score: 0.5}', '{give: [a, b], score: 0.5}', 'Q002', None),
    ('multiple', 'count: 2', 'count: 3', 'Q003', '- id: which'),
    ('single', 'value: true', 'value: false', 'Q003', '- id: effect'),
    ('order', 'b: {from: mix.ratio}', 'b: 2', 'Q003', '- id: sorted'),
    ('image', 'mix.0.2', 'mix.0.7', 'Q001', '- id: picture'),
    (
        'match',
        'argmax: {a: 3, b: {from: mix.ratio}, c: 2}',
        'argmin: {a: 3, b: {from: mix.ratio}, c: 2}',
        'Q005',
        '- id: pairs',
    ),
    ('numeric', 'near: 0.5', 'near: {from: mix.ratio}', 'Q006', None),
    ('cloze', 'near: 0.5', 'near: 0.2501', 'Q006', None),
    ('short', '[standard deviation, sigma]', '[sigma, variance]', 'Q006', None),
    ('shape', 'near: [1, 3, 64, 64]', 'near: [1, 4, 16, 8]', 'Q006', None),
    (
        'order',
        (
            '- {id: b, text: second}\n'
            '      - {id: c, text: third, feedback: Between the two.}\n'
            '      - {id: a, text: first}'
        ),
        None,
        'Q008',
        'items:',
    ),
    ('free', 'Why does it work', 'Say noise in small steps', 'Q009', 'rubric:'),
    ('single', 'What does more noise do', 'Say that It raises it', 'G002', None),
    ('short', 'What adds up', 'What adds up, the deviation or the variance', '', None),
]
RULES = [r for r in RULES if r[3]]


def shown_in_order():
    "An order file whose items come out of the shuffle in the right order."
    from itertools import permutations

    for p in permutations([('b', 'second'), ('c', 'third'), ('a', 'first')]):
        text = GOOD['order'].replace(
            RULES_ORDER, '\n      '.join(f'- {{id: {i}, text: {t}, feedback: So.}}' for i, t in p)
        )
        if any(m.code == 'Q008' for m in messages(text)):
            return text


RULES_ORDER = next(r[1] for r in RULES if r[3] == 'Q008')


@pytest.mark.parametrize(
    'kind,old,new,code,at', RULES, ids=[f'{r[3]}-{r[0]}-{n}' for n, r in enumerate(RULES)]
)
def test_each_rule_is_tripped_at_its_line(kind, old, new, code, at):
    good = GOOD[kind]
    assert old in good
    text = shown_in_order() if new is None else good.replace(old, new, 1)
    where = line_of(text, new if at is None else at)
    found = messages(text)
    assert any(m.code == code and m.line == where for m in found), (code, where, [str(m) for m in found])


# ---- good files, broken one piece at a time


def pieces(text):
    "Every plain or quoted word of a YAML text: place, whether it is a key, and its path's last name."
    stack = []
    for e in YAML(typ='safe', pure=True).parse(text):
        name = type(e).__name__
        if name in ('MappingStartEvent', 'SequenceStartEvent'):
            if stack and stack[-1][0] == 'map':
                stack[-1][1] = True
            stack.append(['map' if name[0] == 'M' else 'list', True, None])
        elif name in ('MappingEndEvent', 'SequenceEndEvent'):
            stack.pop()
        elif name == 'ScalarEvent':
            key = bool(stack) and stack[-1][0] == 'map' and stack[-1][1]
            if stack and stack[-1][0] == 'map':
                stack[-1][1] = not key
            if key:
                stack[-1][2] = e.value
            yield e.start_mark.index, e.end_mark.index, e.start_mark.line + 1, key, e.value


def broken_files():
    "kind, what was done, the text, and the line at which it was done."
    for kind, text in GOOD.items():
        for a, b, line, key, value in pieces(text):
            if line < 9 and kind != 'numeric':
                continue  # the head is the same in all
            if key:
                yield kind, f'key {value}', text[:a] + 'zz' + text[a:], line
            elif value != 'seven':
                yield kind, f'value {value[:20]}', text[:a] + '{zz: 1}' + text[b:], line


BROKEN = list(broken_files())


def test_there_are_enough_broken_files():
    assert len(BROKEN) + len(TRAPS) + len(FILES) + len(RULES) >= 200 and len(BROKEN) >= 150


@pytest.mark.parametrize('kind', GOOD)
def test_broken_pieces_are_found_at_their_line(kind):
    for _, what, text, line in (b for b in BROKEN if b[0] == kind):
        began = time.process_time()
        found = messages(text)
        assert found, what
        assert time.process_time() - began < 2, what
        assert any(m.line == line for m in found), (what, line, [str(m) for m in found])
        check_messages(found, text)


@pytest.mark.parametrize('kind', GOOD)
def test_files_cut_short_never_break_it(kind):
    "A file that is being written: cut at any place."
    text = GOOD[kind]
    for end in range(len(HEAD), len(text), 23):
        check_messages(messages(text[:end]), text)


# ---- rules over a whole file, over several files


def singles(n, right=0, longest=False, options=3):
    "A file of n sound choices; `right` is the place of the key, or a function of the number."
    place = right if callable(right) else lambda k: right
    return HEAD.replace('  mix: {use: mixing, with: {noise: 0.5, seed: $n}}\n', '').replace(
        'probes:\n', ''
    ) + ''.join(
        (
            f'  - {{id: q{k}, kind: single, prompt: "Which, with {{n}}?", answer: o{place(k)}, tests: '
            f'[{{give: o{place(k)}, score: 1}}], options: ['
        )
        + ', '.join(
            (
                f'{{id: o{j}, text: {"a longer text" if longest and j == place(k) else "text"} {"xyz"[j]}, '
                f'feedback: So.}}'
            )
            for j in range(options)
        )
        + ']}\n'
        for k in range(n)
    )


def test_right_options_that_are_always_longest_or_always_second():
    assert not messages(singles(9, right=lambda k: k % 3))
    assert [(m.code, m.line) for m in messages(singles(9, right=lambda k: k % 3, longest=True))] == [
        ('G001', 6)
    ]
    found = messages(singles(6, right=1))
    assert [(m.code, m.line) for m in found] == [('G003', 6)] and 'place 2 in 6 of 6' in found[0].text
    assert not messages(singles(4, right=1))
    steady = singles(9, right=lambda k: k % 3).replace('kind: single', 'shuffle: false, kind: single')
    assert not messages(steady)


def test_answers_that_stand_in_prompt_or_hint():
    def said(kind, old, new):
        return [(m.code, m.line) for m in messages(GOOD[kind].replace(old, new, 1)) if m.code[0] == 'G']

    assert (
        said('short', 'answer: {from: mix.word}', 'answer: variance\n    hints: [The Variance.]')[0][0]
        == 'G002'
    )
    assert said('numeric', 'answer: {from: mix.ratio}', 'answer: 0.25').__len__() == 0
    # a live answer can't be told so
    assert said('numeric', 'hints: [Variances are squares.]\n', 'hints: [It is 0.25 of it.]\n') == []
    text = (
        GOOD['numeric']
        .replace('answer: {from: mix.ratio}', 'answer: 0.25')
        .replace('Variances are squares.', 'It is 0.25 of it.')
    )
    assert [(m.code, m.line) for m in messages(text, live=False) if m.code == 'G002'] == [
        ('G002', line_of(text, 'hints'))
    ]


def test_a_tolerance_spans_the_measured_spread():
    "Twice the spread over seeds, unless the prompt names the seed."

    def found(prompt='How much?', tolerance='{rel: 0.01}', wobble='0.5'):
        text = HEAD.replace('seed: $n}', f'seed: $n, wobble: {wobble}}}') + (
            f'  - {{id: q, kind: numeric, prompt: "{prompt}", answer: {{from: mix.ratio}}, tolerance: '
            f'{tolerance}, tests: [{{give: {{from: mix.ratio}}, score: 1}}]}}\n'
        )
        return [(m.code, m.line) for m in messages(text)]

    assert set(found()) == {('Q007', 9)}
    assert (
        found(wobble='0')
        == found('With seed {n}?')
        == found(tolerance='{spreads: 2}')
        == found(tolerance='{abs: 0.02}')
        == []
    )
    assert set(found(tolerance='{spreads: 1}')) == {('Q007', 9)}


def test_a_key_that_another_seed_flips():
    text = HEAD.replace('seed: $n}', 'seed: $n, wobble: 0.5}') + (
        '  - {id: q, kind: single, prompt: "Which?", answer: {from: mix.ratio}, options: ['
        '{id: a, text: One, value: VALUE}, {id: b, text: Two, value: 9, feedback: No.}], '
        'tests: [{give: b, score: 0}]}\n'
    )
    text = text.replace('variants: 2', 'variants: 1')
    quiz, _ = read_quiz('good.yaml', text.replace('VALUE', '1'))
    value = Values(quiz, registry=lab).get(quiz.questions[0].answer)
    quiz, document = read_quiz('good.yaml', text.replace('VALUE', str(value)))
    assert lint_quiz(quiz, document, live=True, registry=lab) == []
    found = lint_quiz(quiz, document, live=True, registry=lab, seeds=5)
    assert [m.code for m in found] == ['Q010'] and 'not with other seeds' in found[0].text


def test_a_choice_that_is_right_in_one_variant_only():
    "Variant by variant: the key moves with the param, so in one of them two options would be right."
    text = HEAD.replace('int: [0, 9]', 'int: [0, 1]') + (
        '  - {id: q, kind: single, prompt: "Which, {n}?", answer: $n, options: [{id: a, text: A, '
        'value: 0, feedback: So.}, {id: b, text: B, value: 1, feedback: So.}, {id: c, text: C, value: '
        '0, feedback: So.}], tests: [{give: b, state: incorrect}], explain: "{mix.ratio}"}\n'
    )
    found = messages(text)
    assert {m.code for m in found} == {'Q003', 'Q002'}
    assert all('variant' in m.text for m in found)
    assert len({m.text.split(')')[0] for m in found}) == 2


def test_a_wrong_value_inside_the_interval_of_one_variant():
    text = HEAD.replace('int: [0, 9]', 'int: [0, 1]').replace('seed: $n', 'seed: $n, wobble: 1') + (
        '  - {id: q, kind: numeric, prompt: "How much, with {n}?", answer: {from: mix.ratio}, '
        'tolerance: {abs: 0.004}, wrong: [{tag: w, near: 0.25, feedback: No.}], tests: [{give: {from: '
        'mix.ratio}, score: 1}, {give: 0.25, tag: w}]}\n'
    )
    found = messages(text)
    # in one of the two
    assert {m.code for m in found} == {'Q006', 'Q002'}
    assert len({m.text[m.text.index('(variant') :][:11] for m in found}) == 1


def test_several_files(tmp_path):
    (tmp_path / 'good.yaml').write_text(GOOD['single'])
    (tmp_path / 'copy.yaml').write_text(GOOD['single'])
    (tmp_path / 'broken.yaml').write_text('a: [')
    found = lint_files([tmp_path / n for n in ('good.yaml', 'copy.yaml', 'broken.yaml')], registry=lab)
    assert [(Path(m.path).stem, m.code) for m in found] == [
        ('copy', 'L007'),
        ('copy', 'L008'),
        ('broken', 'Y000'),
    ]


def test_variants_that_differ_in_nothing():
    text = (
        GOOD['numeric']
        .replace('params: {n: {int: [0, 9]}}\n', '')
        .replace('seed: $n', 'seed: 1')
        .replace('seed {n}', 'seed 1')
    )
    assert [(m.code, m.line) for m in messages(text)] == [('L006', 4)]


def test_a_probe_that_breaks_is_said():
    from diffcourse.quiz.probe.registry import Registry

    broken = Registry()

    def fails(*args, **kw):
        raise ZeroDivisionError('oops')

    broken['mixing'] = lab['mixing'].__class__(**vars(lab['mixing']) | {'function': fails, 'version': 99})
    found = lint_quiz(*read_quiz('good.yaml', GOOD['numeric']), live=True, registry=broken)
    assert {m.code for m in found} == {'Q004'} and 'ZeroDivisionError' in found[0].text


def test_every_code_has_a_test_that_trips_it():
    "Codes are written in the modules; each is tripped somewhere above."
    folder = Path(diffcourse.__file__).parent / 'quiz'
    modules = [folder / 'core/source.py', folder / 'core/reader.py']
    modules += sorted((folder / 'author').glob('*.py'))
    known = {code for p in modules for code in re.findall(r"'([YSLQG]\d{3})'", p.read_text(encoding='utf-8'))}
    tripped = (
        {r[3] for r in RULES}
        | {t[1] for t in TRAPS}
        | {f[1] for f in FILES.values()}
        | {'Y001', 'L006', 'L007', 'L008', 'Q004', 'Q007', 'Q010', 'G001', 'G003'}
    )
    assert known and known - tripped == set()


def test_github_form_is_escaped():
    assert (
        Message('a,b:c.yaml', 1, 2, 'L001', '100 % of\nit').github()
        == '::error file=a%2Cb%3Ac.yaml,line=1,col=2,title=L001::100 %25 of%0Ait'
    )


@pytest.mark.parametrize('name', ['05_mine', 'plain', '7', 'true', '1e3', 'with-dash'])
def test_a_new_questionnaire_is_clean(name, tmp_path):
    path = new_quiz(name, tmp_path)
    assert [str(m) for m in lint_files([path], live=True)] == []
    with pytest.raises(BadInput, match='already'):
        new_quiz(name, tmp_path)


def test_a_new_questionnaire_needs_a_name_and_a_folder(tmp_path):
    for name in ('../x', '', 'a b', 'x' * 65, 'map'):
        pytest.raises(BadInput, new_quiz, name, tmp_path)
    pytest.raises(BadInput, new_quiz, 'x', tmp_path / 'none')
