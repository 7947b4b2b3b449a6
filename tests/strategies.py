"""How far one gets in each questionnaire by nine ways of answering: python tests/strategies.py [NAME …]

Three of them are sheets in tests/answers/strategies, written by hand: the expert, one with the usual
misconceptions, and one who has read the prompts and nothing else. Six need no sheet: always the longest, the
shortest, the first, the second, everything, nothing. All are marked with the first variant and one set of
measurements; optional questions don't count. An answer that can't be read counts as none."""

import argparse
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from diffcourse.quiz.core.folder import quiz_files  # noqa: E402
from diffcourse.quiz.core.grade import grade  # noqa: E402
from diffcourse.quiz.core.reader import read_quiz  # noqa: E402
from diffcourse.quiz.ground.values import Values  # noqa: E402
from diffcourse.quiz.kinds.base import option_order  # noqa: E402

SHEETS = ROOT / 'tests/answers/strategies'
BY_HAND = ('expert', 'wrong', 'prompts')
WITHOUT_READING = ('longest', 'shortest', 'first', 'second', 'all', 'nothing')
TARGETS = {'expert': (0.9, 1.0), 'prompts': (0.0, 0.6)}  # least and most


def sheet_of(name):
    "Answers by hand: strategy -> question -> answer."
    return YAML(typ='safe').load((SHEETS / f'{name}.yaml').read_text(encoding='utf-8'))


def pick(question, values, strategy):
    "What is answered without reading: an id, ids, or None where there is nothing to choose from."
    shown = option_order(question, values.quiz.id, values.variant)
    if strategy == 'nothing' or not shown:
        return None
    ids = [o.id for o in shown]
    if question.kind == 'order':
        return ids if strategy == 'first' else ids[::-1]
    if question.kind == 'match':
        return {left.id: ids[strategy == 'second'] for left in question.left}
    if strategy == 'all':
        return ids if question.several else None
    by_length = sorted(shown, key=lambda o: len(values.text(getattr(o, 'text', None) or o.alt)))
    places = {'longest': by_length[-1].id, 'shortest': by_length[0].id, 'first': ids[0], 'second': ids[1]}
    one = places[strategy]
    return [one] if question.several else one


def by_formula(question, given, values):
    "An answer that depends on numbers of the prompt: `(D − x)/σ²`, with σ = 0.5 and what the prompt shows."
    if given == {'difference-over-variance': True}:
        return (float(values.text('{at.x0:.3f}')) - float(values.text('{at.x:.3f}'))) / 0.25
    return given


def shares(name):
    "Share of the score of each strategy, and what each answer by hand was worth."
    quiz, _ = read_quiz(ROOT / 'quizzes' / f'{name}.yaml')
    values, sheet, worth = Values(quiz, 0), sheet_of(name), {}
    counted = [q for q in quiz.questions if q.scored and q.weight]
    for strategy in BY_HAND + WITHOUT_READING:
        for q in counted:
            if strategy in BY_HAND:
                given = by_formula(q, sheet[strategy].get(q.id), values)
            else:
                given = pick(q, values, strategy)
            result = grade(q, given, values)
            if result.state in ('fault', 'ungraded'):
                raise SystemExit(f'{name}/{q.id} can not be marked here: {result.feedback}')
            worth[strategy, q.id] = result.score or 0.0
    total = sum(q.weight for q in counted)
    made = {s: sum(q.weight * worth[s, q.id] for q in counted) / total for s in BY_HAND + WITHOUT_READING}
    return made, {k: v for k, v in worth.items() if k[0] in BY_HAND}


def main():
    args = argparse.ArgumentParser(description='How far one gets by nine ways of answering.')
    args.add_argument('names', nargs='*', help='questionnaires (default: all that have a sheet)')
    args.add_argument('--each', action='store_true', help='also print what each answer by hand was worth')
    args = args.parse_args()
    names = args.names or [p.stem for p in quiz_files(SHEETS)]
    columns = BY_HAND + WITHOUT_READING
    print(f'{"":16}' + ''.join(f'{c:>10}' for c in columns), flush=True)
    missed = []
    for name in names:
        made, worth = shares(name)
        print(f'{name:16}' + ''.join(f'{made[c]:10.0%}' for c in columns), flush=True)
        for strategy, (least, most) in TARGETS.items():
            if not least <= made[strategy] <= most:
                missed.append(f'{name}: {strategy} {made[strategy]:.0%}, expected {least:.0%} to {most:.0%}')
        for (strategy, id), score in worth.items():
            if args.each and (strategy, score) != ('wrong', 0):
                print(f'    {strategy:8} {id:18} {score:.2f}')
    sys.exit('\n'.join(missed) or None)


if __name__ == '__main__':
    main()
