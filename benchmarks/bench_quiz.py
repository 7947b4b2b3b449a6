"""Speed of the questionnaires: marking with the probe cached, the list, lint of all. One JSON line each;
status 1 if a limit is missed."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

missed = []


def report(what, value, unit, limit):
    "One line, and a note of what failed."
    if value > limit:
        missed.append(what)
    print(
        json.dumps(
            dict(what=what, value=round(value, 3), unit=unit, limit=limit, ok=value <= limit),
            ensure_ascii=False,
        ),
        flush=True,
    )


def timed(f, times=1):
    "Seconds of the quickest of `times` calls."

    def one():
        began = time.perf_counter()
        f()
        return time.perf_counter() - began

    return min(one() for _ in range(times))


def marking():
    """Mark a live question of each kind in a new session, its measurement being in the disk cache; the
    slowest counts."""
    from pydantic import Field

    from diffcourse.quiz.probe.outcome import Outcome
    from diffcourse.quiz.probe.registry import Registry, probe
    from diffcourse.quiz.core.grade import grade, right_answer
    from diffcourse.quiz.core.reader import read_quiz
    from diffcourse.quiz.ground.values import Values

    lab = Registry()

    class Mixed(Outcome):
        "Share of the variance."

        ratio: float
        shape: list[int]

    @probe('mixing', registry=lab)
    def mixing(noise: Annotated[float, Field(ge=0, le=1)]) -> Mixed:
        "How much of the variance is noise; takes long when it is really run."
        time.sleep(0.2)
        return Mixed(ratio=noise**2, shape=[1, 4, 16, 16])

    text = """schema: diffcourse.quiz/1
id: speed
title: Speed
probes: {mix: {use: mixing, with: {noise: 0.5}}}
questions:
  - {id: number, kind: numeric, prompt: P, answer: {from: mix.ratio}, tolerance: {rel: 0.01},
      explain: "{mix.ratio:.3f}"}
  - {id: choice, kind: single, prompt: P, answer: {rises: [0, {from: mix.ratio}]},
      options: [{id: up, text: Up, value: true}, {id: down, text: Down, value: false}]}
  - {id: several, kind: multiple, prompt: P, options: [{id: a, text: A,
      correct: {rises: [0, {from: mix.ratio}]}}, {id: b, text: B, correct: {equal: [{from: mix.ratio}, 1]}}]}
  - {id: shape, kind: shape, prompt: P, answer: {from: mix.shape}}
  - {id: order, kind: order, prompt: P, items: [{id: a, text: A}, {id: b, text: B}, {id: c, text: C}],
      answer: {rank: {a: 3, b: {from: mix.ratio}, c: 1}}}
"""
    quiz, _ = read_quiz('speed.yaml', text)
    values = Values(quiz, registry=lab)
    right = {q.id: right_answer(q, values) for q in quiz.questions}
    report(
        'marking a live question, measurement cached',
        max(timed(lambda q=q: grade(q, right[q.id], Values(quiz, registry=lab)), 5) for q in quiz.questions),
        's',
        0.05,
    )


def listing():
    "`diffcourse quiz list`, as a user waits for it, when it has been asked before."

    def call():
        return subprocess.run(
            [sys.executable, '-m', 'diffcourse', 'quiz', 'list'], stdout=subprocess.DEVNULL, check=True
        )

    call()
    report('diffcourse quiz list', timed(call, 5), 's', 0.5)


def linting():
    "Structure lint of all questionnaires, with the probes already loaded."
    from diffcourse.quiz.probe.registry import probe_names
    from diffcourse.quiz.core.folder import quiz_folder, quiz_names
    from diffcourse.quiz.author.lint import lint_files

    probe_names()
    found = lint_files()
    size = sum((quiz_folder() / f'{n}.yaml').stat().st_size for n in quiz_names())
    report(
        f'lint of {len(quiz_names())} questionnaires, {size / 1000:.0f} kB, {len(found)} found',
        timed(lint_files, 3),
        's',
        2,
    )


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as home:
        os.environ['DIFFCOURSE_HOME'] = str(Path(home))
        marking()
        listing()
        linting()
    if missed:
        sys.exit(f'missed: {"; ".join(missed)}')
