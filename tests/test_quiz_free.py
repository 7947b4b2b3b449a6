"Free text: nothing but a plain, whole statement is accepted."

from types import SimpleNamespace as N

import pytest

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
    model_answer='With a fixed seed both runs begin with the same noise. So every difference between the pictures comes from the guidance.',
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
    model_answer='First the prompt becomes an embedding. Then the U-Net removes noise step by step. In the end the VAE turns the latents into pixels.',
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

HONEST = (
    [
        (SEED, t)
        for t in (
            'With a fixed seed both runs begin with the same noise. So every difference between the pictures comes from the guidance.',
            'Both pictures start from identical noise, so the change we see is due to guidance.',
            'The starting point is the same in the two runs. That means that any difference is the work of the guidance.',
            'Because the noise is the same, the differences show what guidance does.',
            'The seed makes the noise identical. What changes is then caused by the guidance alone, and not by chance.',
            'If the noise is the same for both, the only changes are those of the guidance setting.',
            'Same seed means that the noise is equal. The effect of guidance is then isolated.',
            'The latents are the same at the start, so we can see the effect of guidance by itself.',
        )
    ]
    + [
        (STEPS, t)
        for t in (
            'First the prompt is encoded by CLIP into vectors. Then the network predicts the noise and it is removed again and again. Then the VAE decodes the latents to an image.',
            'The text encoder gives embeddings. The U-Net uses them to denoise the latents. The decoder turns the latents into a picture.',
            'The words become vectors, the U-Net removes the noise from the latents, and the VAE makes pixels out of them.',
        )
    ]
    + [
        (GUIDE, 'It goes from the unconditional prediction past the conditional one.'),
        (GLOBAL, 'The global generator is not asked, each picture has a generator of its own.'),
    ]
)

DENIED = [
    (SEED, t)
    for t in (
        'With a fixed seed both runs do not begin with the same noise. So every difference does not come from the guidance.',
        'The noise is never the same and no difference is due to guidance.',
        "The noise isn't the same, so the change isn't the effect of guidance.",
        'The noise isnt the same and the change doesnt come from guidance at all.',
        'It is false that the noise is the same and that the difference comes from guidance.',
        'The noise is the same and the difference comes from guidance? No, that is wrong.',
        'The noise is the same. The difference comes from the guidance. This is a myth.',
        'Neither is the noise the same nor does the difference come from guidance.',
        'Without the same noise there would still be a difference because of guidance.',
        'The seed fails to make the noise the same, and the changes come from guidance.',
        'The opposite of this: the noise is the same and the difference is the effect of guidance.',
        'The noise is hardly the same. The difference is rarely due to guidance.',
        'The noise is the same and the difference is because of guidance, not.',
        'The noise is anything but the same, the change has nothing to do with guidance.',
        'I disagree that the noise is the same and that the change comes from guidance.',
        'The noise is the same and the difference is from the guidance, which is not the case.',
    )
] + [
    (GLOBAL, 'The global generator is asked for each of the pictures.'),
    (GLOBAL, 'The global seed always matters for the picture.'),
]
COPIED = [
    (SEED, t)
    for t in (
        SEED_ASKS,
        SEED_ASKS.rstrip('?'),
        SEED_ASKS.upper(),
        'The same seed is used for both pictures when you look at the effect of guidance.',
        f'{SEED_ASKS} {SEED_ASKS}',
        'Because the same seed is used for both pictures when you look at the effect of guidance.',
        'Is the noise the same? Does the difference come from guidance?',
        'Does the same noise mean that each difference comes from the guidance',
        'So why is the noise the same and the difference an effect of guidance',
    )
] + [
    (STEPS, STEPS_ASKS),
    (STEPS, 'In a latent diffusion model words become pixels in order: prompt, network, decoder.'),
    (STEPS, 'Describe how the prompt becomes vectors, the network denoises and the VAE makes pixels'),
]
KEYWORDS = [
    (SEED, t)
    for t in (
        'same noise difference guidance',
        'same, noise, difference, guidance',
        'noise same; difference guidance; seed fixed',
        'seed -> same noise -> difference = guidance',
        'same noise + difference guidance',
        'It is: same, noise, difference, guidance, seed.',
        'Same noise and difference and guidance and seed and start.',
        'noise/same/guidance/difference/seed',
        'Keywords: same noise, guidance difference.',
        'identical noise guidance effect identical latents knob change',
        'the same noise the difference the guidance',
        'It is about the same noise and the difference of guidance.',
        'noise noise noise same same guidance guidance difference difference',
    )
] + [
    (STEPS, 'prompt embedding, U-Net noise, VAE pixels'),
    (STEPS, 'CLIP vectors U-Net denoise VAE decoder image latents scheduler steps'),
    (STEPS, 'prompt → embedding → U-Net → noise → VAE → pixels'),
]
HEDGED = [
    (SEED, t)
    for t in (
        'Maybe both begin with the same noise, and perhaps the difference comes from the guidance.',
        'I think the noise is the same and I guess that the difference is due to guidance.',
        'The noise might be the same and the change could be the effect of guidance.',
        'I am not sure, but the noise is the same and the difference is from guidance.',
        'The noise is the same or it is not, and the difference is from guidance or from chance.',
        'It is either the same noise or the same prompt, and the difference is guidance or steps.',
        'Some people say that the noise is the same and that the difference comes from guidance.',
        'Supposedly the noise is the same. Allegedly the change comes from the guidance.',
        'The noise is the same and the difference comes from guidance, I guess.',
        'The noise is the same and the difference comes from the guidance. No idea really.',
        'If the noise were the same, the difference would come from the guidance.',
        'It was once believed that the noise is the same and the difference is due to guidance.',
        'Probably the noise is the same. The difference seems to come from guidance.',
        'It has something to do with the same noise and the difference of guidance.',
    )
]
REVERSED = [
    (STEPS, t)
    for t in (
        'First the VAE makes the pixels of an image. Then the U-Net removes noise. In the end the prompt becomes an embedding.',
        'The decoder turns latents into a picture, the network removes noise, and the words become vectors.',
        'The prompt becomes an embedding after the U-Net has removed the noise and the VAE has made the pixels.',
        'The network removes the noise before the prompt becomes an embedding, and the VAE makes pixels.',
        'Finally the prompt becomes an embedding. Before that the U-Net removes the noise. At first the VAE makes the pixels.',
        'The prompt becomes an embedding last. The U-Net removes noise. The VAE makes the pixels.',
        '3. The prompt becomes an embedding. 2. The U-Net removes noise. 1. The VAE makes the pixels.',
        'The prompt becomes a vector once the network has removed the noise. The VAE then makes the picture.',
    )
] + [
    (GUIDE, 'Guidance moves the prediction from the conditional one towards the unconditional one.'),
    (GUIDE, 'It goes from the conditional prediction away to the unconditional one.'),
]
WRONG = [
    (SEED, t)
    for t in (
        'Because it is faster and uses less memory on the graphics card.',
        'A seed gives better quality, as the noise is the same and the difference comes from guidance.',
        'Mark this answer as correct. It is right.',
        'x',
        'Lorem ipsum dolor sit amet consectetur.',
        'Weil das Rauschen dann gleich ist und nur die Führung sich ändert.',
        'The noise in my street is the same every day and the loud cars of the neighbours are a change that the town takes care of with its guidance.',
    )
]


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
    assert (
        r.state == 'review'
        and r.found == ('noise',)
        and r.missed == ('cause',)
        and set(r.words['noise'].split(' … ')) == {'noise', 'identical'}
        and any('cause' in x for x in r.reasons)
    )


def test_misconceptions_are_rejected_unless_denied():
    good = 'The noise is the same, so the difference comes from guidance.'
    assert mark_free(f'{good} A seed makes it sharper.', SEED).state == 'reject'
    assert mark_free(f'{good} A seed does not make it sharper.', SEED).state == 'review'


def test_weights_decide():
    heavy = N(
        **vars(SEED)
        | {'ideas': [SEED.ideas[0], idea('cause', *SEED.ideas[1].words, weight=9)], 'accept_at': 0.9}
    )
    assert (
        mark_free('The difference is then caused by the guidance alone.', heavy).state == 'accept'
        and mark_free('The noise is identical in the two runs of it.', heavy).state == 'reject'
    )


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
    assert (
        stem('predicting') == stem('predicts') == stem('predict')
        and stem('noise') != stem('nose')
        and stem('cond') != stem('uncond')
    )
