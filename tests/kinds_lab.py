"What the tests of kinds share: one question of each kind, its values, and any answer."

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from quiz_lab import EVERYTHING, HEAD, lab

from diffcourse.quiz.core.reader import read_quiz
from diffcourse.quiz.ground.values import Values

ALL, DOCUMENT = read_quiz('good.yaml', EVERYTHING)
KINDS = [q.kind for q in ALL.questions]
ID = {q.kind: q.id for q in ALL.questions}


def ask(text, registry=lab, variant=0):
    "A question from its YAML, and its values."
    quiz, _ = read_quiz('asked.yaml', text if text.startswith('schema') else HEAD + text)
    return quiz.questions[0], Values(quiz, variant, registry=registry)


def values(variant=0):
    return Values(ALL, variant, registry=lab)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=3)
    | st.sampled_from(
        [
            'up',
            'a',
            'b',
            'c',
            '0.25',
            '25 %',
            'a=1',
            '1;2;3',
            '1,4,16,8',
            'variance',
            'def half(x): return x/2',
            'a b c',
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(['share', 'state', 'word', 'top', 'low', 'x']), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=6,
)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
