"Rules that hold for any answer: what scores, what does not, and that nothing broken ever does."

import json
import math
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds_lab import ALL, DOCUMENT, ID, KINDS, anything, quick, values
from quiz_lab import lab

from diffcourse.base.errors import CourseError
from diffcourse.quiz.core.grade import grade, right_answer
from diffcourse.quiz.core.schema import UNSCORED
from diffcourse.quiz.core.session import Session
from diffcourse.quiz.core.store import Store
from diffcourse.quiz.ground.record import SCORED, STATES, Result
from diffcourse.quiz.ground.values import Values
from diffcourse.quiz.probe.outcome import CannotRun
from diffcourse.quiz.probe.registry import Registry

pytestmark = pytest.mark.usefixtures('stood_in')


@quick
@given(st.sampled_from(KINDS), anything)
def test_any_answer_gets_a_state_and_plain_data(kind, answer):
    result = grade(ALL.question(ID[kind]), answer, values())
    assert result.state in STATES
    assert (result.score is None) == (result.state not in SCORED)
    assert result.state not in ('fault', 'ungraded'), result.feedback
    assert Result.model_validate_json(result.model_dump_json()) == result
    assert grade(ALL.question(ID[kind]), answer, values()).model_dump_json() == result.model_dump_json()
    assert kind not in UNSCORED or result.score is None


@quick
@given(st.sampled_from(KINDS), anything)
def test_what_was_kept_is_marked_the_same_again(kind, answer):
    "Marking anew starts from the stored answer."
    first = grade(ALL.question(ID[kind]), answer, values())
    if first.score is not None:
        assert grade(ALL.question(ID[kind]), json.loads(first.model_dump_json())['given'], values()) == first


BROKEN = {
    'zero': ZeroDivisionError,
    'memory': MemoryError,
    'assert': AssertionError,
    'os': OSError,
    'absent': CannotRun,
    'course': CourseError,
}


@pytest.mark.parametrize('kind', sorted(set(KINDS) - {'code', 'free', 'reflect'}))
@pytest.mark.parametrize('how', BROKEN)
def test_no_exception_path_scores(kind, how):
    "Whatever a probe raises: no score, for the right answer least of all."
    broken = Registry()

    def fails(*args, **kw):
        raise BROKEN[how]('oops')

    broken['mixing'] = lab['mixing'].__class__(
        **vars(lab['mixing']) | {'function': fails, 'version': 1000 + list(BROKEN).index(how)}
    )
    q, good = ALL.question(ID[kind]), values()
    right = right_answer(q, good)
    state = 'ungraded' if how in ('absent', 'course') else 'fault'
    result = grade(q, right, Values(ALL, registry=broken))
    assert (result.state, result.score) == (state, None)
    for other in (None, 'x', 0, [], {}):
        assert grade(q, other, Values(ALL, registry=broken)).score is None


@pytest.mark.parametrize('kind', ['code', 'free'])
@pytest.mark.parametrize(
    'error,state',
    [(ZeroDivisionError, 'fault'), (MemoryError, 'fault'), (CourseError, 'ungraded'), (None, 'ungraded')],
)
def test_a_failing_or_missing_part_scores_nothing(kind, error, state, monkeypatch):
    def fails(*args):
        raise error('oops')

    monkeypatch.setitem(
        sys.modules,
        {'code': 'diffcourse.quiz.sandbox.code', 'free': 'diffcourse.quiz.free.marking'}[kind],
        error and SimpleNamespace(mark_code=fails, mark_free=fails),
    )
    q = ALL.question(ID[kind])
    result = grade(q, right_answer(q, values()), values())
    assert (result.state, result.score) == (state, None)


@pytest.mark.parametrize(
    'report',
    [
        dict(score=2.0),
        dict(score=-1.0),
        dict(score=math.nan),
        dict(score='1'),
        dict(score=None),
        dict(ok=False),
        dict(state='great'),
        dict(state='fault'),
        dict(state=None),
        dict(score=True, ok=False),
    ],
    ids=repr,
)
def test_a_strange_report_on_code_scores_nothing(report, monkeypatch):
    made = dict(ok=True, score=1.0, messages=[], state='correct', slip='') | report
    monkeypatch.setitem(
        sys.modules,
        'diffcourse.quiz.sandbox.code',
        SimpleNamespace(mark_code=lambda *a: SimpleNamespace(**made)),
    )
    q = ALL.question('half')
    assert grade(q, q.answer, values()).state == 'fault'


@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            anything
            | st.sampled_from(
                [
                    0.25,
                    'up',
                    ['a', 'c'],
                    [1, 4, 16, 8],
                    'variance',
                    ['a', 'b'],
                    'a c b',
                    'all',
                    0.6,
                    'def half(x): return x/2',
                ]
            ),
        ),
        max_size=8,
    )
)
def test_marks_never_fall(answers):
    session = Session.__new__(Session)
    session.quiz, session.document, session.values = ALL, DOCUMENT, values()
    session.store, session.results = Store(':memory:'), {}
    best = 0
    for kind, answer in answers:
        session.check(ID[kind], answer)
        assert session.progress().score >= best
        best = session.progress().score
    session.store.close()
