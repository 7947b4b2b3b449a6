"""The recipe survives `kill -9`: killed in the middle of a stage and resumed, it ends with the weights of
an unbroken run."""

import os
import signal
import subprocess
import sys
import time
from functools import cache

import pytest
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

PATIENCE = 900  # seconds; a run takes one minute on an idle machine

PARTS = ('unet/diffusion_pytorch_model', 'vae/diffusion_pytorch_model', 'clip/model', 'text_encoder/model')


def start(out, *more):
    return subprocess.Popen(
        [sys.executable, '-m', 'diffcourse', 'train', 'doodle', '--quick', '--out', str(out), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    err = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, err[-800:]


@pytest.mark.parametrize('stage', ['clip', 'unet'])
def test_killed_and_resumed(tmp_path, whole, stage):
    process, out = start(tmp_path / 'run'), tmp_path / 'run'
    limit = time.monotonic() + PATIENCE
    while not any((out / stage / 'checkpoints').glob('step-0*[234]')):
        assert process.poll() is None, process.stderr.read()[-800:]
        assert time.monotonic() < limit, 'no checkpoint appeared'
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finish(start(out, '--resume'))
    unbroken = whole()
    for part in PARTS:
        a, b = (load_file(folder / 'model' / f'{part}.safetensors') for folder in (out, unbroken))
        assert all((a[k] == b[k]).all() for k in b), f'{part} differs from that of an unbroken run'


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    "An unbroken run, which goes on beside the others until somebody asks for it."
    out = tmp_path_factory.mktemp('whole')
    process = start(out)

    @cache
    def done():
        finish(process)
        return out

    yield done
    if process.poll() is None:
        process.kill()
        process.wait()


def test_going_on_with_a_model(tmp_path, whole):
    "Nothing stays as it was in the model gone on with, and the card tells the whole history."
    out, earlier = tmp_path / 'more', whole() / 'model'
    finish(start(out, '--base', str(earlier)))
    parts = [f'clip/{name}' for name in ('text_model.', 'text_proj', 'vision_model.', 'visual_proj')]
    for part in [*parts, 'unet/', 'vae/encoder.', 'vae/decoder.']:
        folder, beginning = part.split('/')
        file = next((earlier / folder).glob('*.safetensors')).name
        before, after = (load_file(model / folder / file) for model in (earlier, out / 'model'))
        names = [n for n in before if n.startswith(beginning) and n.endswith('weight')]
        assert names
        same = [n for n in names if (before[n] == after[n]).all()]
        assert not same, f'{part} was not trained further: {same}'
    card = (out / 'model/README.md').read_text()
    assert card.count('| u-net | 6 |') == card.count('| autoencoder | 6 |') == 2


def test_what_a_run_leaves(whole):
    "Loss curves, a sample sheet, the recipe, a judge and a model with its card – and no pickle."
    whole = whole()
    names = {str(p.relative_to(whole)) for p in whole.rglob('*') if p.is_file()}
    assert {
        'vae/loss.csv',
        'clip/loss.csv',
        'unet/loss.csv',
        'judge/loss.csv',
        'unet/loss.png',
        'model/training/unet.csv',
        'recipe.json',
        'judge.safetensors',
        'model/README.md',
        'model/model_index.json',
        'samples/step-00000006.png',
    } <= names
    assert not [n for n in names if n.endswith(('.pt', '.pth', '.bin', '.pkl', '.ckpt'))]
    assert 'clip, zero-shot' in (whole / 'model/README.md').read_text()
