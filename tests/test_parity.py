"Our pipeline against the packaged one: same weights, same start latents, same scheduler, same picture."

import numpy as np
import pytest
import torch
from diffcourse.base.images import to_pil, to_tensor
from diffcourse.maths.objective import to_eps_x0
from diffcourse.maths.schedule import SPACINGS, schedule_from_config
from diffcourse.models.latents import decode, encode
from diffcourse.models.load import doodle_path, load_models
from diffcourse.models.text import embed
from diffcourse.models.tiny import tiny_folder
from diffcourse.pipeline.edit import image_to_image
from diffcourse.pipeline.generate import generate, initial_latents
from diffcourse.samplers.base import get_sampler
from PIL import Image

SCHEDULERS = {'ddim': 'DDIMScheduler', 'euler': 'EulerDiscreteScheduler'}
VARIANTS = [
    ('v_prediction', 'trailing', True),
    ('v_prediction', 'leading', False),
    ('epsilon', 'leading', False),
    ('epsilon', 'linspace', False),
    ('epsilon', 'trailing', False),
]


def reference(folder, sampler):
    import diffusers

    diffusers.utils.logging.disable_progress_bar()
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(
        folder, use_safetensors=True, torch_dtype=torch.float32, safety_checker=None
    )
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = getattr(diffusers, SCHEDULERS[sampler]).from_config(pipe.scheduler.config)
    return pipe


def furthest(ours, theirs):
    return max(
        int(np.abs(np.asarray(a).astype(int) - np.asarray(b).astype(int)).max())
        for a, b in zip(ours, theirs, strict=True)
    )


def same(models, pipe, sampler, steps, guidance, negative, prompts, seeds):
    trace = generate(
        models, prompts, negative=negative, steps=steps, guidance=guidance, seed=seeds, sampler=sampler
    )
    said = dict(
        prompt=prompts,
        negative_prompt=[negative] * len(prompts),
        num_inference_steps=steps,
        guidance_scale=guidance,
        latents=initial_latents(models, seeds),
    )
    latents = pipe(**said, output_type='latent').images
    assert (trace.x[-1] - latents).abs().max() < 0.02 * latents.std().clamp(min=1)
    assert furthest(trace.images, pipe(**said).images) <= 2


@pytest.fixture(scope='module', params=VARIANTS, ids=lambda v: f'{v[0]}-{v[1]}{"-zero" if v[2] else ""}')
def tiny(request, tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp('tiny'), *request.param)


@pytest.mark.parametrize('sampler', SCHEDULERS)
def test_tiny_draws_the_packaged_picture(tiny, sampler):
    models, pipe = load_models(tiny, device='cpu'), reference(tiny, sampler)
    for steps, guidance, negative in ((7, 7.5, ''), (20, 3.0, 'a moon'), (4, 1.0, '')):
        same(
            models,
            pipe,
            sampler,
            steps,
            guidance,
            negative,
            ['a large red star', 'a small blue moon on yellow'],
            [1, 2],
        )


@pytest.mark.slow
@pytest.mark.parametrize('sampler', SCHEDULERS)
def test_doodle_draws_the_packaged_picture(sampler):
    if not (doodle_path() / 'model_index.json').is_file():
        pytest.skip('the doodle model is not trained yet')
    models, pipe = load_models('doodle', device='cpu'), reference(doodle_path(), sampler)
    for steps, guidance, negative in ((50, 7.5, ''), (15, 4.0, 'a red background'), (10, 1.0, '')):
        same(
            models,
            pipe,
            sampler,
            steps,
            guidance,
            negative,
            ['a large red seven on a blue background', 'a small green star on white'],
            [1, 2],
        )


def test_chance_is_the_packaged_chance(tiny):
    "With η = 1 a picture's generator gives the start noise first, then the noise of each step."
    models, pipe = load_models(tiny, device='cpu'), reference(tiny, 'ddim')
    trace = generate(
        models, ['a star', 'a moon'], steps=5, guidance=3.0, seed=[1, 2], sampler='ddim', eta=1.0
    )
    theirs = pipe(
        ['a star', 'a moon'],
        num_inference_steps=5,
        guidance_scale=3.0,
        eta=1.0,
        generator=[torch.Generator().manual_seed(s) for s in (1, 2)],
    ).images
    assert furthest(trace.images, theirs) <= 2


def test_words_are_the_packaged_words(tiny):
    models, pipe = load_models(tiny, device='cpu'), reference(tiny, 'ddim')
    with pytest.warns(UserWarning, match='cut off'):
        ours = embed(['a star', '', 'moon ' * 40], models.tokenizer, models.text_encoder)
    theirs, _ = pipe.encode_prompt(['a star', '', 'moon ' * 40], 'cpu', 1, False)
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize('sampler', SCHEDULERS)
@pytest.mark.parametrize('beta', ['linear', 'scaled_linear', 'squaredcos_cap_v2'])
@pytest.mark.parametrize('zero', [False, True])
@pytest.mark.parametrize('spacing', SPACINGS)
def test_levels_are_the_packaged_levels(sampler, beta, zero, spacing):
    import diffusers

    config = dict(
        num_train_timesteps=1000,
        beta_schedule=beta,
        beta_start=0.00085,
        beta_end=0.012,
        rescale_betas_zero_snr=zero,
        timestep_spacing=spacing,
        steps_offset=1,
        clip_sample=False,
    )
    theirs, ours = getattr(diffusers, SCHEDULERS[sampler]).from_config(config), schedule_from_config(config)
    if sampler == 'ddim':
        assert torch.equal(ours.ab, theirs.alphas_cumprod)
    for steps in (1, 2, 7, 15, 50, 333, 999):
        levels = get_sampler(sampler).levels(ours, steps)
        theirs.set_timesteps(steps)
        assert torch.equal(levels.t.float(), theirs.timesteps.float())
        assert levels.init_noise_sigma == pytest.approx(
            float(theirs.init_noise_sigma / (theirs.sigmas[0] ** 2 + 1) ** 0.5)
            if sampler == 'euler'
            else 1.0,
            rel=1e-6,
        )
        if sampler == 'euler':
            assert torch.allclose(levels.sigma.float(), theirs.sigmas[:-1], rtol=1e-5)


@pytest.mark.parametrize('sampler', SCHEDULERS)
def test_steps_are_the_packaged_steps(sampler):
    import diffusers

    for prediction, spacing, zero in VARIANTS:
        config = dict(
            beta_schedule='scaled_linear',
            beta_start=0.00085,
            beta_end=0.012,
            prediction_type=prediction,
            timestep_spacing=spacing,
            rescale_betas_zero_snr=zero,
            clip_sample=False,
        )
        sched = getattr(diffusers, SCHEDULERS[sampler]).from_config(config)
        sched.set_timesteps(12)

        def net(x, t):
            return torch.sin(3 * x + t / 300)  # any function will do for a network

        start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        theirs = start * sched.init_noise_sigma
        way = get_sampler(sampler)
        levels = way.levels(schedule_from_config(config), 12)
        walk = way.sample(
            lambda x, t, ab: to_eps_x0(net(x, t), x, ab, prediction), start * levels.init_noise_sigma, levels
        )
        for step, t in zip(walk, sched.timesteps, strict=True):
            theirs = sched.step(net(sched.scale_model_input(theirs, t), t), t, theirs).prev_sample
            scale = 1.0 if sampler == 'ddim' else float(levels.ab_next[step.i]) ** 0.5
            assert torch.allclose(step.x, theirs * scale, atol=3e-3, rtol=1e-3), (
                prediction,
                spacing,
                zero,
                step.i,
            )


@pytest.mark.parametrize('sampler', SCHEDULERS)
def test_image_to_image_is_the_packaged_one(tiny, sampler):
    import diffusers

    models = load_models(tiny, device='cpu')
    pipe = diffusers.StableDiffusionImg2ImgPipeline(
        **reference(tiny, sampler).components, requires_safety_checker=False
    )
    pipe.set_progress_bar_config(disable=True)
    picture = Image.fromarray(
        (np.indices((64, 64)).sum(0)[..., None] * np.array([1, 2, 1]) % 256).astype(np.uint8)
    )
    ours = image_to_image(models, picture, 'a star', 0.6, steps=10, guidance=3.0, seed=1, sampler=sampler)
    z = encode(
        to_tensor(picture), models.vae
    )  # latents are taken as they are; from a picture the package would draw a sample first
    theirs = pipe(
        'a star',
        image=z,
        strength=0.6,
        num_inference_steps=10,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(1),
        output_type='latent',
    ).images
    assert furthest(ours.images, to_pil(decode(theirs, models.vae))) <= 2
