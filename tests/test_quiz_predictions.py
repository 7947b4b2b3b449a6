"Predictions are locked before anything runs; progress counts what can have a mark."

import pytest
from kinds_lab import ALL, ask
from quiz_lab import BODY, GOOD, HEAD, lab

from diffcourse.base.errors import CourseError
from diffcourse.quiz.core.grade import grade, right_answer
from diffcourse.quiz.core.session import Progress, Session
from diffcourse.quiz.core.store import Store
from diffcourse.quiz.kinds.base import option_order
from diffcourse.quiz.probe.registry import Registry

pytestmark = pytest.mark.usefixtures('stood_in')


def test_a_prediction_is_locked_before_the_run(tmp_path):
    path = tmp_path / 'good.yaml'
    path.write_text(GOOD['predict'])
    store, seen = Store(':memory:'), []
    watched = Registry(lab)
    look = lab['mixing'].function

    def watch(*args, **kw):
        seen.append(store.events('good', 'guess')[-1]['what'])
        return look(*args, **kw)

    watched['mixing'] = lab['mixing'].__class__(**vars(lab['mixing']) | {'function': watch, 'version': 77})
    session = Session(path, store=store, registry=watched)
    with pytest.raises(CourseError, match='expect first'):
        session.solution('guess')
    assert session.evidence('guess') == []
    assert session.check('guess', 'much').state == 'invalid'
    assert session.locked('guess') is None
    assert not seen
    first = session.check('guess', 0.5)
    assert seen[0] == 'lock'
    assert first.tag == 'not-squared'
    assert session.locked('guess') == 0.5
    assert 'It was' in str(first)
    for later in (0.25, 'nonsense', None):
        again = Session(path, store=store, registry=watched).check('guess', later)
        assert (again.score, again.given) == (0, 0.5)
        assert 'locked in' in again.feedback
    assert session.attempts('guess') == 1
    assert session.solution('guess').explain
    assert session.evidence('guess')
    assert Session(path, variant=1, store=store, registry=watched).locked('guess') is None
    store.close()


def test_a_prediction_can_be_a_choice():
    text = (
        '  - {id: q, kind: predict, prompt: P, answer: {rises: {from: mix.sweep}}, options: [{id: up, '
        'text: Up, value: true}, {id: down, text: Down, value: false, feedback: It rose., tag: fell}]}\n'
    )
    q, v = ask(text)
    assert grade(q, 'up', v).score == 1
    assert grade(q, 'down', v).tag == 'fell'
    assert grade(q, 0.5, v).state == 'invalid'
    assert sorted(o.id for o in option_order(q, 'good', 0)) == ['down', 'up']
    assert option_order(ALL.question('guess'), 'good', 0) == []


def test_progress_counts_what_can_have_a_mark(tmp_path):
    (tmp_path / 'good.yaml').write_text(HEAD + BODY['numeric'] + BODY['reflect'] + BODY['free'])
    session = Session(tmp_path / 'good.yaml', store=Store(':memory:'), registry=lab)
    for id, answer in (
        ('think', 'So.'),
        ('why', 'From noise in small steps.'),
        ('share', right_answer(session.question('share'), session.values)),
    ):
        session.check(id, answer)
    assert session.progress() == Progress(1, 1, 1, 1.0, 1.0)
    assert 'From noise' in str(session.solution('why'))
    assert 'The noise.' in str(session.solution('think'))
    session.store.close()
