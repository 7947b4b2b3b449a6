"What the pipeline promises its callers, beyond what its pages show."

import math
import subprocess
import sys
import time
import warnings
from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from diffcourse.base.errors import BadInput, CourseError
from diffcourse.base.trace import Trace
from diffcourse.models.load import load_models, online
from diffcourse.models.tiny import tiny_folder, tiny_path
from diffcourse.pipeline.generate import decode_steps, generate
from diffcourse.samplers.base import samplers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture(scope='module')
def models():
    return load_models('tiny', device='cpu')


@pytest.mark.parametrize(
    'wrong, says',
    [
        (dict(steps=0), 'steps is 0'),
        (dict(steps=-3), 'steps is -3'),
        (dict(steps=1001), 'from 1 to 1000'),
        (dict(steps='many'), "'many'"),
        (dict(steps=2.5), 'whole number'),
        (dict(guidance=math.nan), 'guidance is nan'),
        (dict(guidance=math.inf), 'guidance is inf'),
        (dict(guidance='strong'), "'strong'"),
        (dict(sampler='magic'), 'ddim, ddpm, dpmpp_2m'),
        (dict(seed=-1), 'seed is -1'),
        (dict(seed=2**63), 'seed is'),
        (dict(seed=[1, 2], prompt=['a', 'b', 'c']), '2 seeds'),
        (dict(prompt=None), 'prompt is None'),
        (dict(prompt=[]), 'prompt is []'),
        (dict(prompt=['a', 3]), 'expected text'),
        (dict(negative=['a', 'b']), '2 negative'),
        (dict(start=torch.zeros(1, 3, 16, 16)), '(1, 3, 16, 16)'),
        (dict(start=torch.zeros(1, 4, 15, 16)), 'divisible by'),
        (dict(start='noise'), 'str'),
        (dict(eta=2), 'eta is 2'),
        (dict(eta=math.nan), 'eta is nan'),
    ],
)
def test_bad_input_is_one_clear_line(models, wrong, says):
    with pytest.raises(BadInput) as e:
        generate(models, **dict(prompt='a star', steps=2) | wrong)
    assert says in str(e.value) and '\n' not in str(e.value)


def test_an_empty_prompt_draws_without_words(models):
    a, b = (generate(models, '', steps=3, guidance=g, seed=1) for g in (1.0, 7.5))
    # with and without words are the same: nothing to exaggerate
    assert torch.allclose(a.x[-1], b.x[-1], atol=1e-4)


@pytest.mark.parametrize('sampler', sorted(samplers()))
def test_every_sampler_is_repeatable_and_recorded(models, sampler):
    a, b = (
        generate(models, ['a star', 'a moon'], steps=6, seed=[3, 4], sampler=sampler, guidance=3.0)
        for _ in range(2)
    )
    for n in ('t', 'ab', 'sigma', 'x', 'eps', 'x0'):
        assert torch.equal(getattr(a, n), getattr(b, n))
        assert getattr(a, n).dtype == torch.float32
        assert not getattr(a, n).is_inference()
    assert a.x.shape == (7, 2, 4, 16, 16)
    assert a.eps.shape == a.x0.shape == (6, 2, 4, 16, 16)
    assert a.t.shape == a.ab.shape == (6,)
    assert (a.t.diff() < 0).all() and (a.ab.diff() > 0).all() and (a.sigma.diff() < 0).all()
    ab = a.ab.view(-1, 1, 1, 1, 1)
    # x, eps and x0 agree, in the variance-preserving scale
    assert torch.allclose(ab**0.5 * a.x0 + (1 - ab) ** 0.5 * a.eps, a.x[:-1], atol=1e-3)
    with pytest.raises(FrozenInstanceError):
        a.guidance = 1.0


def test_a_single_step_and_all_thousand_times(models):
    assert generate(models, 'a star', steps=1).steps == 1
    assert torch.isfinite(generate(models, 'a star', steps=1000, guidance=1, record=False).x).all()


def test_record_off_gives_the_same_picture(models):
    a, b = (generate(models, 'a star', steps=4, seed=1, record=r) for r in (True, False))
    assert torch.equal(a.x[[0, -1]], b.x)
    assert a.images[0].tobytes() == b.images[0].tobytes()
    assert b.eps.shape == (0, 1, 4, 16, 16)
    with pytest.raises(BadInput, match='record=True'):
        decode_steps(models, b)


def test_provenance(models):
    run = generate(models, 'a star', steps=2).run
    assert run['model'] == 'tiny'
    assert run['hash'] == models.hash
    assert run['prediction'] == 'v_prediction'
    assert run['spacing'] == 'trailing'
    assert run['seconds'] > 0
    assert {'torch', 'diffusers', 'diffcourse', 'transformers', 'device', 'dtype'} <= run.keys()


def test_a_trace_survives_the_disk(models, tmp_path):
    a = generate(models, ['ein Stern ★', 'a moon'], steps=3, seed=[1, 2], sampler='euler')
    b = Trace.load(a.save(tmp_path / 't'))
    assert torch.equal(a.x, b.x)
    assert a.prompt == b.prompt
    assert a.run == b.run
    assert [i.tobytes() for i in a.images] == [i.tobytes() for i in b.images]
    (tmp_path / 't/trace.json').write_text('{')
    with pytest.raises(CourseError, match="can't read the trace"):
        Trace.load(tmp_path / 't')
    (tmp_path / 'file').touch()
    with pytest.raises(CourseError, match="can't write the trace"):
        a.save(tmp_path / 'file' / 't')


def test_noise_prediction_cannot_start_without_signal(tmp_path):
    m = load_models(tiny_folder(tmp_path / 'm', 'epsilon', 'trailing', True), device='cpu')
    with pytest.raises(CourseError, match='predicts noise'):
        generate(m, 'a star', steps=4, sampler='ddim')
    assert torch.isfinite(generate(m, 'a star', steps=4, sampler='euler').x).all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=st.text(max_size=60), seed=st.integers(0, 2**63 - 1), guidance=st.floats(-20, 20))
def test_any_words_seed_and_guidance_draw(models, prompt, seed, guidance):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        trace = generate(models, prompt, steps=2, seed=seed, guidance=guidance)
    assert torch.isfinite(trace.x).all() and trace.images[0].size == (64, 64)


def test_other_sizes_by_start_latents(models):
    assert generate(models, 'a star', steps=2, start=torch.randn(1, 4, 8, 24)).images[0].size == (96, 32)


def test_a_variant_of_a_model(models):
    zero = load_models('tiny', device='cpu').unet
    for p in zero.parameters():
        p.zero_()
    # v = 0 everywhere: ε = √(1-ᾱ)·x
    assert generate(replace(models, unet=zero), 'a star', steps=2, seed=1).eps[0].abs().max() > 0


def test_bfloat16_draws_nearly_the_same(models):
    a, b = (
        generate(models, 'a star', steps=4, guidance=1.0, seed=1),
        generate(
            load_models('tiny', device='cpu', dtype='bfloat16'), 'a star', steps=4, guidance=1.0, seed=1
        ),
    )
    assert b.x.dtype == torch.float32
    assert b.run['dtype'] == 'bfloat16'
    assert (a.x[-1] - b.x[-1]).abs().mean() < 0.1


OFFLINE = """
import sys, time
from diffcourse.models.load import load_models
import huggingface_hub.errors
t = time.perf_counter()
try: load_models(sys.argv[1])
except Exception as e: print(type(e).__name__, round(time.perf_counter() - t, 2), e)
else: print('loaded', round(time.perf_counter() - t, 2))
"""


def offline(name, **env):
    import os

    done = subprocess.run(
        [sys.executable, '-c', OFFLINE, str(name)],
        capture_output=True,
        text=True,
        env=dict(os.environ, **env),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(maxsplit=2)


@pytest.mark.parametrize(
    'env', [dict(HF_HUB_OFFLINE='1'), dict(HTTPS_PROXY='', https_proxy='', HF_ENDPOINT='https://192.0.2.1')]
)  # an address that never answers
def test_offline_is_one_line_within_two_seconds(tmp_path, env):
    kind, seconds, line = offline('nobody-at-all/no-such-model', HF_HOME=str(tmp_path), **env)
    assert kind == 'CourseError'
    assert "can't be reached" in line
    assert '\n' not in line.strip()
    assert float(seconds) < 2


def test_a_hub_model_in_the_cache_loads_offline(tmp_path):
    import shutil

    repo = tmp_path / 'hub/models--someone--tiny-sd'
    (repo / 'refs').mkdir(parents=True)
    (repo / 'refs/main').write_text('0' * 40)
    shutil.copytree(tiny_path(), repo / 'snapshots' / ('0' * 40))
    assert (
        offline(
            'someone/tiny-sd', HF_HOME=str(tmp_path), HF_HUB_CACHE=str(tmp_path / 'hub'), HF_HUB_OFFLINE='1'
        )[0]
        == 'loaded'
    )


@pytest.mark.parametrize('name', ['', 'dodle', '/no/such/folder', 'a/b/c', '~/nowhere-at-all'])
def test_a_wrong_name_is_one_line_at_once(name, monkeypatch):
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    t = time.perf_counter()
    with pytest.raises(CourseError) as e:
        load_models(name)
    assert 'doodle' in str(e.value) and '\n' not in str(e.value) and time.perf_counter() - t < 2


@pytest.mark.parametrize('part', ['scheduler', 'tokenizer', 'text_encoder', 'unet', 'vae'])
def test_a_missing_part_is_named(tmp_path, part):
    import shutil

    shutil.copytree(tiny_path(), tmp_path / 'm')
    shutil.rmtree(tmp_path / 'm' / part)
    with pytest.raises(CourseError, match=part):
        load_models(tmp_path / 'm')


def test_pickled_weights_are_refused(tmp_path):
    import shutil

    shutil.copytree(tiny_path(), tmp_path / 'm')
    unet = tmp_path / 'm/unet'
    (unet / 'diffusion_pytorch_model.safetensors').rename(unet / 'diffusion_pytorch_model.bin')
    with pytest.raises(CourseError, match='pickled'):
        load_models(tmp_path / 'm')


def test_online_never_hangs(monkeypatch):
    monkeypatch.delenv('HF_HUB_OFFLINE', raising=False)
    monkeypatch.setenv('HF_ENDPOINT', 'https://192.0.2.1')
    t = time.perf_counter()
    online(0.5)
    assert time.perf_counter() - t < 1.5
