"Free text: nothing but a plain, whole statement is accepted."

from types import SimpleNamespace as N

import pytest

from conftest import read_data
from diffcourse.quiz.free.marking import mark_free
from diffcourse.quiz.free.words import stem


def idea(id, *words, weight=1):
    return N(id=id, words=[list(w) for w in words], weight=weight, say=f'{id} …')


SEED = N(
    ideas=[
        idea(
            'noise', ['same', 'identical', 'equal', 'fixed'], ['noise', 'start', 'starting point', 'latents']
        ),
        idea(
            'cause',
            ['difference', 'differences', 'change', 'changes', 'effect'],
            ['guidance', 'setting', 'knob'],
        ),
    ],
    order=(),
    reject=[
        N(words=[['seed'], ['better', 'quality', 'sharper']], say='A seed does not make pictures better.')
    ],
    accept_at=1,
    min_words=5,
    model_answer=(
        'With a fixed seed both runs begin with the same noise. So every difference between the pictures '
        'comes from the guidance.'
    ),
)
SEED_ASKS = 'Why is the same seed used for both pictures when you look at the effect of guidance?'
STEPS = N(
    ideas=[
        idea(
            'encode',
            ['text encoder', 'CLIP', 'prompt', 'words'],
            ['embedding', 'embeddings', 'vector', 'vectors', 'encoded', 'numbers'],
        ),
        idea('denoise', ['U-Net', 'network', 'denoiser'], ['noise', 'denoise', 'denoises']),
        idea('decode', ['decoder', 'VAE', 'decoded', 'decodes'], ['pixels', 'image', 'picture']),
    ],
    order=('encode', 'denoise', 'decode'),
    reject=[],
    accept_at=1,
    min_words=5,
    model_answer=(
        'First the prompt becomes an embedding. Then the U-Net removes noise step by step. In the end the '
        'VAE turns the latents into pixels.'
    ),
)
STEPS_ASKS = (
    'Describe in order how words become pixels in a latent diffusion model: prompt, network, decoder.'
)
GUIDE = N(
    ideas=[
        idea(
            'away',
            ['unconditional', 'without the prompt'],
            ['conditional', 'with the prompt'],
            ['from', 'beyond', 'past', 'away'],
        )
    ],
    order=(),
    reject=[],
    accept_at=1,
    min_words=5,
    model_answer='Guidance moves the prediction from the unconditional one towards the conditional one.',
)
GLOBAL = N(
    ideas=[
        idea(
            'unused',
            ['global generator', 'torch.manual_seed', 'global seed'],
            ['used', 'asked', 'matters', 'touched', 'affected'],
        )
    ],
    order=(),
    reject=[],
    accept_at=1,
    min_words=4,
    model_answer='The global generator is not asked, because each picture has its own.',
)

RUBRICS = {'seed': SEED, 'steps': STEPS, 'guidance': GUIDE, 'global': GLOBAL}


def answers(what):
    "Pairs of a rubric and an answer in free words."
    return [(RUBRICS[name], text) for name, texts in ANSWERS[what].items() for text in texts]


ANSWERS = read_data('free_answers')
HONEST = answers('honest')
DENIED = answers('denied')
COPIED = answers('copied')
KEYWORDS = answers('keywords')
HEDGED = answers('hedged')
REVERSED = answers('reversed')
WRONG = answers('wrong')


@pytest.mark.parametrize('rubric,text', HONEST)
def test_honest_answers_are_accepted_or_looked_at(rubric, text):
    report = mark_free(text, rubric, {id(SEED): SEED_ASKS, id(STEPS): STEPS_ASKS}.get(id(rubric), ''))
    assert report.state in ('accept', 'review'), report


def test_most_honest_answers_are_accepted():
    states = [mark_free(t, r).state for r, t in HONEST]
    assert states.count('accept') >= 0.7 * len(states), list(zip(states, [t for _, t in HONEST]))


@pytest.mark.parametrize(
    'kind,rubric,text',
    [
        (k, r, t)
        for k, pairs in dict(
            denied=DENIED, copied=COPIED, keywords=KEYWORDS, hedged=HEDGED, reversed=REVERSED, wrong=WRONG
        ).items()
        for r, t in pairs
    ],
)
@pytest.mark.parametrize('prompted', [True, False])
def test_the_rest_is_not(kind, rubric, text, prompted):
    if kind == 'copied' and not prompted and 'same seed is used' in text:
        pytest.skip('as a statement it can only be told by the question')
    prompt = {id(SEED): SEED_ASKS, id(STEPS): STEPS_ASKS}.get(id(rubric), '')
    report = mark_free(text, rubric, prompt if prompted else '')
    assert report.state in ('reject', 'review'), report
    assert report.reasons


@pytest.mark.parametrize('text', ['', '   ', '...', '?!', None, 7, [], '\n\n', '🙂🙂 🙂'])
def test_nothing_is_no_answer(text):
    assert mark_free(text, SEED).state == 'invalid'


def test_model_answers_are_accepted():
    for r in (SEED, STEPS, GUIDE, GLOBAL):
        assert mark_free(r.model_answer, r).state == 'accept', mark_free(r.model_answer, r)


def test_report_tells_the_words():
    r = mark_free('The noise is identical in the two runs, and that is all there is to it.', SEED)
    assert r.state == 'review'
    assert r.found == ('noise',)
    assert r.missed == ('cause',)
    assert set(r.words['noise'].split(' … ')) == {'noise', 'identical'}
    assert any('cause' in x for x in r.reasons)


def test_misconceptions_are_rejected_unless_denied():
    good = 'The noise is the same, so the difference comes from guidance.'
    assert mark_free(f'{good} A seed makes it sharper.', SEED).state == 'reject'
    assert mark_free(f'{good} A seed does not make it sharper.', SEED).state == 'review'


def test_weights_decide():
    heavy = N(
        **vars(SEED)
        | {'ideas': [SEED.ideas[0], idea('cause', *SEED.ideas[1].words, weight=9)], 'accept_at': 0.9}
    )
    assert mark_free('The difference is then caused by the guidance alone.', heavy).state == 'accept'
    assert mark_free('The noise is identical in the two runs of it.', heavy).state == 'reject'


@pytest.mark.parametrize(
    'text',
    [
        'a' * 200_000,
        'noise same ' * 4000,
        '\u202e' + 'x' * 50,
        '(' * 3000,
        'same noise guidance difference ' * 150,
        '. ' * 2500,
    ],
)
def test_odd_texts_are_quick_and_not_accepted(text):
    assert mark_free(text, SEED).state != 'accept'


def test_stems():
    assert stem('predicting') == stem('predicts') == stem('predict')
    assert stem('noise') != stem('nose')
    assert stem('cond') != stem('uncond')
