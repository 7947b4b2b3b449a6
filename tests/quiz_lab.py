"""A small laboratory for the tests of the quiz engine: probes that need no model, and one sound
questionnaire of each kind."""

import sys
from types import SimpleNamespace
from typing import Annotated

from PIL import Image
from pydantic import Field

from diffcourse.base.show import Strip, Table
from diffcourse.quiz.probe.outcome import Outcome
from diffcourse.quiz.probe.registry import Registry, probe

lab = Registry()


class Mixed(Outcome):
    "What the small probes of these tests measure."

    ratio: float
    clean: bool
    sweep: list[float]
    shape: list[int]
    word: str
    by: dict[str, float]


@probe('mixing', registry=lab)
def mixing(
    noise: Annotated[float, Field(ge=0, le=1)],
    seed: Annotated[int, Field(ge=0, le=99)] = 0,
    wobble: Annotated[float, Field(ge=0, le=1)] = 0.0,
) -> Mixed:
    "How much of the variance is noise after mixing; with a wobble it depends on the seed."
    share = noise**2 + wobble * seed / 100
    strip = Strip(
        [Image.new('RGB', (8, 8), (int(255 * x), 0, 0)) for x in (0, share % 1, 1)], alt='red squares'
    )
    return Mixed(
        ratio=share,
        clean=noise == 0,
        sweep=[0.0, share, 1.0],
        shape=[1, 4, 16, 8],
        word='variance',
        by={'a': 3.0, 'b': share, 'c': 2.0},
    ), [strip, Table(['noise', 'share'], [[noise, share]])]


HEAD = """schema: diffcourse.quiz/1
id: good
title: Good
params: {n: {int: [0, 9]}}
variants: 2
probes:
  mix: {use: mixing, with: {noise: 0.5, seed: $n}}
questions:
"""
BODY = {
    'numeric': """  - id: share
    kind: numeric
    covers: [s0.p1.q18]
    prompt: Which share is noise, with seed {n}?
    answer: {from: mix.ratio}
    tolerance: {rel: 0.01}
    unit: dB
    wrong:
      - {tag: not-squared, near: 0.5, feedback: Square it.}
    hints: [Variances are squares.]
    explain: "It is {mix.ratio:.3f}, not {given}."
    refs: [diffcourse.quiz.core.grade]
    tests:
      - {give: {from: mix.ratio}, score: 1}
      - {give: 0.5, tag: not-squared}
      - {give: seven, state: invalid}
""",
    'single': """  - id: effect
    kind: single
    prompt: What does more noise do, with seed {n}?
    options:
      - {id: down, text: It lowers the share, value: false, feedback: Look again., tag: lower}
      - {id: up, text: It raises it, value: true}
    answer: {rises: [0, {from: mix.ratio}]}
    explain: "{mix.ratio}"
    tests: [{give: up, score: 1}, {give: down, tag: lower}]
""",
    'multiple': """  - id: which
    kind: multiple
    prompt: Which hold, with seed {n}?
    count: 2
    options:
      - {id: a, text: It is mixed, correct: {equal: [{from: mix.clean}, false]}}
      - {id: b, text: It is clean, correct: {from: mix.clean}, feedback: No., tag: clean}
      - {id: c, text: It rises, correct: {rises: {from: mix.sweep}}}
      - {id: d, text: It falls, correct: {falls: {from: mix.sweep}}, feedback: It rises.}
    tests: [{give: [a, c], score: 1}, {give: [a, b], tag: clean}, {give: [a], score: 0.5}]
""",
    'shape': """  - id: latents
    kind: shape
    prompt: Which shape, with seed {n}?
    answer: {from: mix.shape}
    axes: [batch, channels, height, width]
    wrong:
      - {tag: pixels, near: [1, 3, 64, 64], feedback: That is the picture.}
    tests:
      - {give: "1, 4, 16, 8", score: 1}
      - {give: [1, 3, 64, 64], tag: pixels}
      - {give: [4, 16, 8], tag: rank}
      - {give: [1, 4, 8, 16], tag: axis-order}
""",
    'short': """  - id: named
    kind: short
    prompt: What adds up, with seed {n}?
    answer: {from: mix.word}
    wrong:
      - {tag: root, near: [standard deviation, sigma], feedback: Its square does.}
    tests: [{give: Variance, score: 1}, {give: Sigma, tag: root}]
""",
    'cloze': """  - id: gaps
    kind: cloze
    prompt: Fill the gaps, with seed {n}.
    text: "A share of [[share]] is noise, so it is [[state]], says the [[word]]."
    gaps:
      share: {answer: {from: mix.ratio}, tolerance: {rel: 0.01},
          wrong: [{tag: not-squared, near: 0.5, feedback: Square it.}]}
      state: {answer: mixed, options: [mixed, clean], feedback: Look at the share.}
      word: {answer: [variance, var], wrong: [{tag: root, near: sigma, feedback: Its square.}]}
    tests:
      - {give: [0.25, mixed, var], score: 1}
      - {give: {share: 0.5, state: mixed, word: var}, tag: not-squared}
      - {give: [0.25, clean, sigma], tag: root}
""",
    'match': """  - id: pairs
    kind: match
    prompt: What belongs together, with seed {n}?
    left:
      - {id: top, text: the largest}
      - {id: low, text: the smallest, feedback: Smaller still.}
    right:
      - {id: a, text: first}
      - {id: b, text: second}
      - {id: c, text: third}
    answer:
      top: {argmax: {a: 3, b: {from: mix.ratio}, c: 2}}
      low: {argmin: {from: mix.by}}
    tests: [{give: {top: a, low: b}, score: 1}, {give: [a, c], score: 0.5}, {give: [a], state: invalid}]
""",
    'order': """  - id: sorted
    kind: order
    prompt: From the largest to the smallest, with seed {n}?
    items:
      - {id: b, text: second}
      - {id: c, text: third, feedback: Between the two.}
      - {id: a, text: first}
    answer: {rank: {a: 3, b: {from: mix.ratio}, c: 2}}
    tests: [{give: [a, c, b], score: 1}, {give: [b, c, a], score: 0}, {give: [c, a, b], score: 0.5}]
""",
    'image': """  - id: picture
    kind: image
    prompt: Which picture is the noise, with seed {n}?
    options:
      - {id: none, picture: mix.0.0, alt: A black square, feedback: That one is clean.}
      - {id: some, picture: mix.0.1, alt: A dark red square, feedback: There is more., tag: mixed}
      - {id: all, picture: mix.0.2, alt: A red square}
    answer: {argmax: {none: {from: mix.sweep.0}, some: {from: mix.sweep.1}, all: {from: mix.sweep.2}}}
    tests: [{give: all, score: 1}, {give: some, tag: mixed}]
""",
    'predict': """  - id: guess
    kind: predict
    prompt: How much will be noise, with seed {n}?
    answer: {from: mix.ratio}
    tolerance: {abs: 0.05}
    wrong:
      - {tag: not-squared, near: 0.5, feedback: Square it.}
    explain: "It was {mix.ratio:.2f}."
    tests: [{give: 0.22, score: 1}, {give: 0.5, tag: not-squared}]
""",
    'challenge': """  - id: find
    kind: challenge
    prompt: Find a mixture.
    probe: {use: mixing, with: {seed: $n}}
    input: noise
    goals:
      - {field: ratio, at_least: {from: mix.ratio}, say: at least as much}
      - {field: ratio, at_most: 0.4, say: at most 0.4}
      - {field: clean, equals: false, say: not clean}
    answer: 0.6
    explain: "{it.ratio:.2f} with {given}"
    tests: [{give: 0.1, score: 0}]
""",
    'code': """  - id: half
    kind: code
    prompt: Write it, with seed {n}.
    spec:
      function: half
      starter: "def half(x): ..."
      library: diffcourse.maths.guidance.cfg
      inputs:
        - {name: x, draw: latents, shape: [1, 4, 8, 8]}
        - {name: k, draw: ints, low: 1, high: 9}
        - {name: w, draw: constant, value: 2}
      cases: 3
      tolerance: {rel: 0.001}
      time_limit_s: 5
    answer: "def half(x): return x/2"
    tests: [{give: "def half(x): return x/2", score: 1}, {give: "def half(x): return x", score: 0}]
    explain: "{mix.ratio}"
""",
    'free': """  - id: why
    kind: free
    prompt: Why does it work, with seed {n}?
    rubric:
      ideas:
        - {id: noise, words: [[noise, noisy]], say: It begins with noise.}
        - {id: steps, words: [[step, steps], [small]], weight: 2, say: It goes in small steps.}
      order: [noise, steps]
      reject:
        - {words: [[magic]], say: No magic.}
      accept_at: 0.5
      min_words: 3
      model_answer: From noise in small steps.
    explain: "{mix.ratio}"
    tests: [{give: From noise in small steps., state: review, tag: accept}]
""",
    'reflect': """  - id: think
    kind: reflect
    prompt: What surprised you, with seed {n}?
    answer: The noise.
    explain: "{mix.ratio}"
""",
}
GOOD = {kind: HEAD + body for kind, body in BODY.items()}
EVERYTHING = HEAD + ''.join(BODY.values())


def half(x):
    return x / 2


def mark_code(source, spec, seed):
    "Stands in for the part that runs code: knows the one right answer by its text."
    ok = source.strip() == 'def half(x): return x/2'
    return SimpleNamespace(
        ok=ok,
        score=float(ok),
        messages=[] if ok else ['the values differ'],
        state='correct' if ok else 'incorrect',
        slip='',
    )


def mark_free(text, rubric):
    "Stands in for the part that reads words."
    found = [i.id for i in rubric.ideas if all(any(w in text.lower() for w in group) for group in i.words)]
    missed = [i.id for i in rubric.ideas if i.id not in found]
    return SimpleNamespace(
        state='review' if missed else 'accept', found=found, missed=missed, words={i: 'so' for i in found}
    )


def stand_in(monkeypatch):
    "Put the two in the place of the real parts."
    monkeypatch.setitem(sys.modules, 'diffcourse.quiz.sandbox.code', SimpleNamespace(mark_code=mark_code))
    monkeypatch.setitem(sys.modules, 'diffcourse.quiz.free.marking', SimpleNamespace(mark_free=mark_free))
