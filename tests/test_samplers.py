"""Each sampler against diffusers' scheduler of its name, step by step, and DPM++ 2S ancestral, which
diffusers lacks, against k-diffusion's published formulas.

Two comparisons, both in the variance-preserving scale. *As it is*: diffusers untouched, with its tables, and
some of its steps, in float32, ≤ 1e-5. *In double*: the same code of diffusers, but told to compute in float64
and given our levels in full (the levels are compared in the first), ≤ 1e-10. What diffusers does differently
on purpose or by accident has a test of its own, named 'quirk'."""

import importlib
import itertools
import math
import types

import numpy as np
import pytest
import torch
from diffcourse.base.errors import BadInput
from diffcourse.maths.exact import gaussian_denoiser
from diffcourse.maths.objective import to_eps_x0
from diffcourse.maths.schedule import schedule_from_config, sigmas
from diffcourse.samplers.base import get_sampler, samplers

THEIRS = dict(
    ddim=('DDIMScheduler', {}),
    ddpm=('DDPMScheduler', {}),
    euler=('EulerDiscreteScheduler', {}),
    euler_ancestral=('EulerAncestralDiscreteScheduler', {}),
    heun=('HeunDiscreteScheduler', {}),
    lms=('LMSDiscreteScheduler', {}),
    dpmpp_2m=('DPMSolverMultistepScheduler', {}),
    dpmpp_2m_sde=('DPMSolverMultistepScheduler', dict(algorithm_type='sde-dpmsolver++')),
    unipc=('UniPCMultistepScheduler', {}),
)
# diffusers' latents have the variance-preserving scale; those of the others the exploding one
PRESERVING = {'ddim', 'ddpm', 'dpmpp_2m', 'dpmpp_2m_sde', 'unipc'}
CHANCE = {'ddpm', 'euler_ancestral', 'dpmpp_2m_sde'}
# diffusers' Euler ancestral has no ramps
KARRAS = {'euler', 'heun', 'lms', 'dpmpp_2m', 'dpmpp_2m_sde', 'unipc'}
NO_ZERO = {'heun', 'lms'}  # diffusers' Heun and LMS know nothing of rescale_betas_zero_snr
SD = dict(
    beta_schedule='scaled_linear', beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1
)
STEPS = (1, 2, 3, 4, 5, 7, 9, 10, 13, 17, 20, 25, 31, 50, 75, 100)
SHAPE = (2, 4, 4, 4)


def short(n, config):
    words = [str(n), config['prediction_type'][0], config['timestep_spacing'], config['beta_schedule']]
    if config.get('use_karras_sigmas'):
        words.append('karras')
    if config.get('rescale_betas_zero_snr'):
        words.append('zero')
    return ' '.join(words)


def configs(name):
    """36 of them, or more: every spacing, prediction and ramp with several numbers of steps, the doodle's
    own schedule, other βs."""
    ramps = (None, 'karras') if name in KARRAS else (None,)
    kinds = [*itertools.product(('linspace', 'leading', 'trailing'), ramps, ('epsilon', 'v_prediction'))]
    for i, n in enumerate(STEPS * (3 if len(kinds) == 6 else 2)):
        spacing, ramp, pred = kinds[i % len(kinds)] if len(kinds) == 6 else kinds[(i + i // 16 * 5) % 12]
        yield (
            n,
            dict(
                SD,
                timestep_spacing=spacing,
                prediction_type=pred,
                **({'use_karras_sigmas': True} if ramp else {}),
            ),
        )
    if name not in NO_ZERO:
        for n in (1, 2, 7, 20, 33):
            yield (
                n,
                dict(
                    SD,
                    timestep_spacing='trailing',
                    prediction_type='v_prediction',
                    rescale_betas_zero_snr=True,
                ),
            )
    for n in (5, 26):
        yield n, dict(SD, beta_schedule='linear', timestep_spacing='linspace', prediction_type='epsilon')
    for n in (6, 15):
        yield (
            n,
            dict(
                SD,
                beta_schedule='squaredcos_cap_v2',
                timestep_spacing='leading',
                prediction_type='v_prediction',
            ),
        )


def network(prediction):
    "Smooth, and of about the right size; any function of picture and time will do."
    if prediction == 'epsilon':
        return lambda x, t: 0.9 * x + 0.1 * torch.sin(3 * x + t / 300)
    return lambda x, t: 0.4 * torch.sin(2 * x + t / 300)


def noises(n):
    g = torch.Generator().manual_seed(1)
    return [torch.randn(SHAPE, generator=g, dtype=torch.float64) for _ in range(n)]


class Doubled:
    "A module in whose eyes float32 is float64."

    def __init__(self, module, **names):
        self.module, self.names = module, names

    def __getattr__(self, name):
        return self.names[name] if name in self.names else getattr(self.module, name)


def scheduler(name, config):
    import diffusers

    cls, more = THEIRS[name]
    return (lms_class() if name == 'lms' else getattr(diffusers, cls)).from_config(dict(config, **more))


def lms_class():
    """diffusers' LMS integrates polynomials with SciPy, which the course does without: Gauss and Legendre
    integrate them exactly."""

    def quad(f, a, b, **kw):
        at, weight = np.polynomial.legendre.leggauss(4)
        return float(
            sum(w * float(f((b - a) / 2 * x + (a + b) / 2)) for x, w in zip(at.tolist(), weight.tolist()))
            * (b - a)
            / 2
        ), 0.0

    module = importlib.import_module('diffusers.schedulers.scheduling_lms_discrete')
    if not hasattr(module, 'integrate'):
        module.integrate = types.SimpleNamespace(quad=quad)
    return module.LMSDiscreteScheduler


def their_walk(sched, name, net, start, fresh, patch, double=False, levels=None):
    "Yield t and the latents after each step, in the variance-preserving scale (float64)."
    module, draws = __import__(type(sched).__module__, fromlist=['x']), iter(fresh)
    if name in CHANCE:
        patch.setattr(module, 'randn_tensor', lambda *a, **k: next(draws))
    if double:
        patch.setattr(module, 'torch', Doubled(torch, float32=torch.float64))
        if hasattr(sched, 'sigmas') and levels is not None:
            full = torch.cat([levels.sigma, torch.zeros(1).double()])

            def twice(v):
                return torch.cat([v[:1], v[1:].repeat_interleave(2)])

            sched.sigmas = torch.cat([twice(levels.sigma), full[-1:]]) if name == 'heun' else full
            if sched.timesteps.is_floating_point():
                sched.timesteps = twice(levels.t) if name == 'heun' else levels.t
        else:
            sched.alphas_cumprod = sched.alphas_cumprod.double()
        for k in ('one', 'final_alpha_cumprod'):
            if hasattr(sched, k):
                setattr(sched, k, getattr(sched, k).double())
    x = (
        start
        if name in PRESERVING
        else start
        * (
            sched.sigmas[0]
            if sched.config.timestep_spacing != 'leading'
            else (sched.sigmas[0] ** 2 + 1) ** 0.5
        )
    )
    for k, t in enumerate(sched.timesteps):
        shown = sched.scale_model_input(x, t)
        x = sched.step(net(shown, t), t, x).prev_sample
        if name == 'heun' and k % 2 == 0 and k < len(sched.timesteps) - 1:
            continue  # the trial
        i = k // 2 if name == 'heun' else k
        after = 0.0 if name in PRESERVING else float(sched.sigmas[k + 1])
        yield i, t, x.double() / (after**2 + 1) ** 0.5


def compare(name, n, config, patch, double):
    "Largest difference between our walk and theirs; the times told must be equal."
    pred, fresh = config['prediction_type'], noises(n + 1)
    start = fresh.pop()
    net = network(pred)
    if name == 'ddpm':
        fresh[-1] *= 0  # see the quirk: 1e-10 of noise in the last step
    way = get_sampler(name)
    levels = way.levels(schedule_from_config(config), n)
    sched = scheduler(name, config)
    sched.set_timesteps(n)
    assert len(levels) == n
    mine, apart = iter(fresh), 0.0
    told = []

    def denoise(x, t, ab):
        told.append(t)
        return to_eps_x0(net(x, t), x, ab, pred)

    ours = way.sample(
        denoise,
        start * levels.init_noise_sigma,
        levels,
        **(dict(noise=lambda: next(mine)) if name in CHANCE else {}),
    )
    theirs = list(
        their_walk(sched, name, (lambda x, t: net(x, float(t))), start, fresh, patch, double, levels)
    )
    for step, (i, t, x) in zip(ours, theirs, strict=True):
        assert step.i == i and (
            name == 'heun' or abs(step.t - float(t)) < 2e-3
        )  # Heun's second call has the next time
        apart = max(apart, float((step.x.double() - x).abs().max()))
    assert np.allclose(told, sched.timesteps.double(), atol=2e-3), (name, n, config)
    if not double and hasattr(sched, 'sigmas') and name != 'heun':
        assert torch.allclose(levels.sigma.float(), sched.sigmas[:-1], rtol=2e-6)
    return apart


@pytest.mark.parametrize('name', THEIRS)
def test_equal_to_diffusers_as_it_is(name, monkeypatch):
    apart = {}
    for n, config in configs(name):
        if name[:5] == 'euler' and config.get('rescale_betas_zero_snr'):
            # both cast to float32, where 4096·ε leaves little room; see the quirk and the double comparison
            continue
        if name == 'lms' and config.get('use_karras_sigmas') and n >= 50:
            continue  # its weights are differences of nearly equal σ in float32
        with monkeypatch.context() as m:
            apart[short(n, config)] = compare(name, n, config, m, double=False)
    assert len(apart) >= 30
    bad = {k: v for k, v in apart.items() if not v <= 1e-5}
    print(name, len(apart), max(apart.values()))
    assert not bad, bad


@pytest.mark.parametrize('name', THEIRS)
def test_equal_to_diffusers_in_double(name, monkeypatch):
    apart = {}
    for n, config in configs(name):
        with monkeypatch.context() as m:
            apart[short(n, config)] = compare(name, n, config, m, double=True)
    print(name, len(apart), max(apart.values()))
    assert len(apart) >= 30
    bad = {k: v for k, v in apart.items() if not v <= 1e-10}
    assert not bad, bad


# -------------------------------------------------------------- DPM++ 2S ancestral, by k-diffusion's formulas


def published_2s(model, x, sigmas, eta, fresh):
    """k-diffusion, `sample_dpmpp_2s_ancestral`, written out: `model(x, σ, between)` → x0, x in the
    exploding scale; `between` tells of the call half way."""
    out = []
    for i in range(len(sigmas) - 1):
        s, to = sigmas[i], sigmas[i + 1]
        denoised = model(x, s)
        up = min(to, eta * math.sqrt(to**2 * (s**2 - to**2) / s**2))
        down = math.sqrt(to**2 - up**2)
        if down == 0:
            x = x + (x - denoised) / s * (down - s)
        else:
            t, t_next = -math.log(s), -math.log(down)
            h = t_next - t
            mid = t + h / 2
            x_2 = math.exp(-mid) / math.exp(-t) * x - math.expm1(-h / 2) * denoised
            x = math.exp(-t_next) / math.exp(-t) * x - math.expm1(-h) * model(x_2, math.exp(-mid), True)
        if to > 0:
            x = x + fresh[i] * up
        out.append(x)
    return out


def test_2s_ancestral_is_the_published_one():
    way, done = get_sampler('dpmpp_2s_ancestral'), 0
    for (i, n), eta in itertools.product(enumerate(STEPS), (0.0, 0.6, 1.0)):
        spacing, pred = (
            ('linspace', 'leading', 'trailing', 'karras', 'exponential')[(i + done) % 5],
            ('epsilon', 'v_prediction')[done % 2],
        )
        schedule = schedule_from_config(
            dict(SD, prediction_type=pred, rescale_betas_zero_snr=pred[0] == 'v' and done % 3 == 0)
        )
        net, fresh = network(pred), noises(n + 1)
        start = fresh.pop()
        levels = way.levels(schedule, n, spacing)
        table = sigmas(schedule.ab.clamp(min=2**-24)).double().log().numpy()
        visited = iter(levels.t.tolist())

        def model(y, s, between=False):  # c_in; between levels, k-diffusion's sigma_to_t
            x = y / (s**2 + 1) ** 0.5
            return to_eps_x0(
                net(x, float(np.interp(math.log(s), table, np.arange(1000.0))) if between else next(visited)),
                x,
                1 / (s**2 + 1),
                pred,
            )[1]

        theirs = published_2s(
            model,
            start * levels.init_noise_sigma * (levels.sigma[0] ** 2 + 1) ** 0.5,
            [*levels.sigma.tolist(), 0.0],
            eta,
            fresh,
        )
        ours = way.sample(
            lambda x, t, ab: to_eps_x0(net(x, t), x, ab, pred),
            start * levels.init_noise_sigma,
            levels,
            noise=iter(fresh).__next__,
            eta=eta,
        )
        for step, y, to in zip(ours, theirs, [*levels.sigma.tolist()[1:], 0.0], strict=True):
            assert (step.x - y / (to**2 + 1) ** 0.5).abs().max() <= 1e-9, (n, eta, spacing, pred, step.i)
        done += 1
    assert done == 48


# ----------------------------------------------------------------------------------------------------- quirks


def test_quirk_trailing_may_have_one_time_too_many():
    """np.arange runs over its end by rounding: for 61 steps diffusers makes 62, the last at time −1. Ours
    are the first 61."""
    for name in ('euler', 'dpmpp_2m'):
        sched = scheduler(name, dict(SD, timestep_spacing='trailing'))
        sched.set_timesteps(61)
        ours = get_sampler(name).levels(schedule_from_config(SD), 61, 'trailing')
        assert (
            len(sched.timesteps) == 62
            and sched.timesteps[-1] == -1
            and torch.equal(sched.timesteps[:-1].double(), ours.t)
        )


def test_quirk_ddpm_adds_noise_in_its_last_step(monkeypatch):
    """If the last time visited is not 0, diffusers adds 1e-10 of noise (its variance is kept from being 0)
    to the finished picture. Ours adds none."""
    config = dict(SD, timestep_spacing='leading', prediction_type='epsilon')
    sched = scheduler('ddpm', config)
    sched.set_timesteps(10)
    fresh = noises(10)
    ends = [
        list(their_walk(sched, 'ddpm', network('epsilon'), noises(1)[0], [*fresh[:-1], last], monkeypatch))[
            -1
        ][2]
        for last in (fresh[-1], 0 * fresh[-1])
    ]
    assert sched.timesteps[-1] == 1 and torch.allclose(ends[0] - ends[1], 1e-10 * fresh[-1], atol=1e-15)


def test_quirk_ancestral_euler_loses_its_way_down_in_float32(monkeypatch):
    """σ↓ = √(σ'²−σ↑²) is a difference of nearly equal numbers if σ is 4096; diffusers computes it in
    float32. The same code in float64 agrees with ours."""
    config = dict(
        SD, timestep_spacing='trailing', prediction_type='v_prediction', rescale_betas_zero_snr=True
    )
    with monkeypatch.context() as m:
        plain = compare('euler_ancestral', 2, config, m, double=False)
    with monkeypatch.context() as m:
        double = compare('euler_ancestral', 2, config, m, double=True)
    assert double <= 1e-10 < 1e-5 < plain < 1e-3


def test_quirk_heun_and_lms_ignore_zero_terminal_snr():
    """diffusers' Heun and LMS drop the rescaling, and start the doodle where it never was trained. Ours
    start at pure noise."""
    config = dict(SD, timestep_spacing='trailing', rescale_betas_zero_snr=True)
    for name in NO_ZERO:
        sched = scheduler(name, config)
        sched.set_timesteps(20)
        levels = get_sampler(name).levels(schedule_from_config(config), 20)
        assert abs(sched.sigmas[0] - 14.6146) < 1e-3 and levels.sigma[0] >= 4095


def test_quirk_heun_cannot_leave_infinity():
    """Told the rescaled schedule by hand, with 4096 for ∞ as its other schedulers have it, diffusers' Heun
    averages the slopes at both ends of a step that has no middle. Ours takes that step as Euler does."""
    config = dict(SD, timestep_spacing='trailing', rescale_betas_zero_snr=True, prediction_type='sample')
    schedule = schedule_from_config(config)
    start = noises(1)[0]
    sched = scheduler('heun', config)
    sched.alphas_cumprod = schedule.ab.clamp(min=2**-24)
    sched.set_timesteps(5)
    exact = gaussian_denoiser(0.0, 1.0)
    x = start * sched.sigmas[0]
    for k, t in enumerate(sched.timesteps):
        s = float(sched.sigmas[k])
        x = sched.step(exact(x / (s**2 + 1) ** 0.5, 0, 1 / (s**2 + 1))[1], t, x).prev_sample
    way = get_sampler('heun')
    levels = way.levels(schedule, 5)
    ours = list(way.sample(exact, start, levels))[-1].x
    assert (
        0.8 < ours.std() / start.std() < 1.1 and x.std() / start.std() > 2
    )  # data of spread 1: the start is the end


def test_quirk_exponential_times_are_cut_off():
    """With a Karras ramp diffusers' DPM-Solver tells the network the nearest time; with an exponential one
    it cuts the fraction off. Ours tells the nearest time in both."""
    config = dict(SD, use_exponential_sigmas=True)
    sched = scheduler('dpmpp_2m', config)
    sched.set_timesteps(20)
    levels = get_sampler('dpmpp_2m').levels(schedule_from_config(config), 20)
    off = levels.t - sched.timesteps
    assert torch.allclose(levels.sigma.float(), sched.sigmas[:-1], rtol=1e-5) and set(off.tolist()) == {
        0.0,
        1.0,
    }


def test_quirk_multistep_visits_one_time_twice():
    """diffusers' DPM-Solver with as many steps as times has a step from a level to itself, and answers
    NaN. Ours says so."""
    sched = scheduler('dpmpp_2m', dict(SD, timestep_spacing='linspace'))
    sched.set_timesteps(1000)
    assert len(set(sched.timesteps.tolist())) < 1000
    with pytest.raises(BadInput, match='from 1 to 999'):
        get_sampler('dpmpp_2m').levels(schedule_from_config(SD), 1000, 'linspace')


# -------------------------------------------------------------------------------------- the doodle's schedule

DOODLE = dict(SD, rescale_betas_zero_snr=True, timestep_spacing='trailing', prediction_type='v_prediction')


@pytest.mark.parametrize('name', sorted(samplers()))
def test_every_sampler_walks_down_from_pure_noise(name):
    """From σ = ∞, in float32, every number of steps ends near data of mean 3 and spread 0.5, and many
    steps end close to it."""
    way, schedule = get_sampler(name), schedule_from_config(DOODLE)
    for n, near in ((1, 0.6), (2, 0.6), (5, 0.35), (20, 0.12), (100, 0.05)):
        for spacing in (None, 'karras') if way.sigma_spacings else (None,):
            levels = way.levels(schedule, n, spacing)
            g = torch.Generator().manual_seed(0)

            def fresh():
                return torch.randn(1, 1, 64, 64, generator=g)

            for step in way.sample(
                gaussian_denoiser(3.0, 0.5), fresh() * levels.init_noise_sigma, levels, noise=fresh
            ):
                assert torch.isfinite(step.x).all()
            assert abs(step.x.mean() - 3) < 0.03 + near / 10 and (
                spacing or abs(step.x.std() - 0.5) < near
            ), (n, spacing, step.x.mean(), step.x.std())


def test_command_line_names_every_sampler():
    import typer.main
    from diffcourse.commands.cli import app

    option = next(p for p in typer.main.get_command(app).commands['draw'].params if p.name == 'sampler')
    assert option.help.rstrip('.').replace(' or ', ', ').split(', ') == sorted(samplers())
