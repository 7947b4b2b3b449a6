"Numbers of the maths floor, and the samplers against a truth calculated here anew."

import math

import numpy as np
import pytest
import torch
from diffcourse.maths.objective import PREDICTIONS, convert_prediction, to_ve, add_noise, to_vp
from diffcourse.samplers.base import get_sampler, samplers
from diffcourse.samplers.compare import fit_order, convergence_errors, benchmark
from diffcourse.maths.schedule import (
    ab_of_log_snr,
    ab_of_snr,
    alphas_cumprod,
    cosine_betas,
    exponential_betas,
    exponential_sigmas,
    karras_sigmas,
    linear_betas,
    log_snr,
    scaled_linear_betas,
    schedule_from_config,
    sigmoid_betas,
    sigmas,
    snr,
    spaced_timesteps,
    sigma_to_t,
    zero_terminal_snr,
)
from diffcourse.maths.exact import ideal_denoiser, gaussian_path, mixture_denoiser


def test_numbers_of_the_lesson_on_schedules():
    sd, old, weak = (
        alphas_cumprod(b).double()
        for b in (scaled_linear_betas(), linear_betas(), linear_betas(start=0.001, end=0.004))
    )
    assert [round(float(v), 4) for v in (sigmas(sd)[-1], sigmas(sd)[0], sd[-1] ** 0.5)] == [
        14.6146,
        0.0292,
        0.0683,
    ]
    assert (
        round(float(sigmas(old)[-1]), 1),
        round(float(old[-1] ** 0.5), 4),
        round(float(weak[-1] ** 0.5), 3),
    ) == (157.4, 0.0064, 0.286)
    t = spaced_timesteps(1000, 15, 'linspace', fraction=True)
    at = np.interp(t, np.arange(1000), sigmas(sd))
    assert [round(float(v), 2) for v in t[[0, 1, 14]]] == [999.0, 927.64, 0.0]
    assert [round(float(v), 4) for v in at[:4]] == [14.6146, 9.6826, 6.6780, 4.7746]
    assert alphas_cumprod(zero_terminal_snr(scaled_linear_betas()))[-1] == 0
    assert 0.02**0.5 == pytest.approx(0.141, abs=5e-4)
    y = torch.full((1,), 3.0)
    assert torch.allclose(to_vp(y, 14.6146), y / (14.6146**2 + 1) ** 0.5)
    assert torch.allclose(to_ve(to_vp(y, 2.0), 0.2), y)


@pytest.mark.parametrize('beta', ['linear', 'scaled_linear', 'sigmoid', 'squaredcos_cap_v2', 'exp'])
@pytest.mark.parametrize('zero', [False, True])
def test_schedules_are_the_packaged_ones(beta, zero):
    import diffusers

    cls = diffusers.HeunDiscreteScheduler if beta == 'exp' else diffusers.DDPMScheduler
    if beta == 'exp' and zero:
        return
    config = dict(
        num_train_timesteps=1000,
        beta_schedule=beta,
        beta_start=0.00085,
        beta_end=0.012,
        rescale_betas_zero_snr=zero,
    )
    assert torch.equal(schedule_from_config(config).ab, cls.from_config(config).alphas_cumprod)


def test_conversions_go_there_and_back():
    ab = torch.linspace(0.001, 0.999, 50, dtype=torch.float64)
    assert torch.allclose(ab_of_snr(snr(ab)), ab)
    assert torch.allclose(ab_of_log_snr(log_snr(ab)), ab)
    assert torch.allclose(log_snr(ab), snr(ab).log())
    x0, eps = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for a in (0.01, 0.5, 0.99):
        x = add_noise(x0, eps, a)
        names = (*PREDICTIONS, 'score')
        true = dict(
            epsilon=eps,
            sample=x0,
            v_prediction=a**0.5 * eps - (1 - a) ** 0.5 * x0,
            score=-(x - a**0.5 * x0) / (1 - a),
        )
        for p in names:
            for q in names:
                assert torch.allclose(convert_prediction(true[p], x, a, p, q), true[q], atol=1e-9), (a, p, q)
    for ramp in (karras_sigmas, exponential_sigmas):
        assert (ramp(20, 0.03, 15.0).diff() < 0).all()
        assert ramp(1, 0.03, 15.0).tolist() == pytest.approx([15.0])
    assert all(
        (alphas_cumprod(b()).diff() < 0).all() for b in (cosine_betas, sigmoid_betas, exponential_betas)
    )
    known = sigmas(alphas_cumprod(scaled_linear_betas()))
    t = torch.arange(0, 1000, 37)
    assert torch.allclose(sigma_to_t(known[t], known), t.double())


def test_denoisers_against_sums_written_out():
    g = torch.Generator().manual_seed(3)
    data = torch.randn(6, 3, generator=g, dtype=torch.float64)
    x = torch.randn(4, 3, generator=g, dtype=torch.float64)
    w = torch.rand(6, generator=g, dtype=torch.float64)
    stds = 0.2 + torch.rand(6, generator=g, dtype=torch.float64)
    for ab in (0.0, 0.1, 0.7):
        for b in range(4):
            near = [
                float(w[i]) * math.exp(-float(((x[b] - ab**0.5 * data[i]) ** 2).sum()) / 2 / (1 - ab))
                for i in range(6)
            ]
            assert torch.allclose(
                ideal_denoiser(data, w)(x, 0.0, ab)[1][b],
                sum(p * d for p, d in zip(near, data)) / sum(near),
                atol=1e-10,
            )
            var = [ab * float(s) ** 2 + 1 - ab for s in stds]
            near = [
                float(w[i])
                * math.exp(-float(((x[b] - ab**0.5 * data[i]) ** 2).sum()) / 2 / var[i])
                / var[i] ** 1.5
                for i in range(6)
            ]
            means = [
                data[i] + ab**0.5 * float(stds[i]) ** 2 / var[i] * (x[b] - ab**0.5 * data[i])
                for i in range(6)
            ]
            assert torch.allclose(
                mixture_denoiser(data, stds, w)(x, 0.0, ab)[1][b],
                sum(p * d for p, d in zip(near, means)) / sum(near),
                atol=1e-10,
            )


@pytest.mark.parametrize(
    'name, order',
    [
        ('ddim', 1),
        ('euler', 1),
        ('euler_ancestral', 1),
        ('heun', 2),
        ('dpmpp_2m', 2),
        ('dpmpp_2m_sde', 2),
        ('dpmpp_2s_ancestral', 2),
        ('unipc', 3),
        ('lms', 4),
    ],
)
def test_order_of_convergence(name, order):
    """Against the path of a normal distribution, which needs no reference; chance switched off. A long way
    makes LMS's first step, which is Euler's, harmless."""
    high, low = (1e5 if order == 4 else 80.0), 0.02
    counts = [400, 600] if order == 4 else [100, 200] if order == 3 else [200, 400]
    denoise = mixture_denoiser(torch.tensor([[0.7, -0.3]]).double(), torch.tensor([0.6]).double())
    start = torch.randn(8, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ab = 1 / (high**2 + 1)
    right = gaussian_path(
        start * (1 - ab) ** 0.5, ab, 1 / (low**2 + 1), torch.tensor([0.7, -0.3]).double(), 0.6
    )
    assert (
        abs(
            fit_order(
                counts, convergence_errors(get_sampler(name), denoise, start, counts, high, low, right=right)
            )
            - order
        )
        < 0.15
    )


def test_every_sampler_draws_the_data_in_the_end():
    "The distance that is left at 150 calls is small for all, and smaller than at 10."
    sd = schedule_from_config(dict(beta_schedule='scaled_linear', beta_start=0.00085, beta_end=0.012))
    for a, b in zip(*[iter(benchmark(sd, sorted(samplers()), [11, 151], n=600, spacing='karras'))] * 2):
        assert b.spread < 0.08 and b.spread < a.spread and b.calls in (150, 151), (a, b)
