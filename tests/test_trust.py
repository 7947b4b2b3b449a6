"A model that can't be trusted gives no keys: its questions are ungraded, never marked, never at fault."

from copy import deepcopy

import pytest
import torch

from diffcourse import load_models
from diffcourse.quiz.core.session import Session
from diffcourse.quiz.core.store import Store
from diffcourse.quiz.probe.outcome import CannotRun
from diffcourse.quiz.probe.runs import run_probe

pytestmark = pytest.mark.slow


def no_number(unet):
    unet.conv_out.bias[0] = float('nan')


def too_loud(unet):
    unet.conv_out.weight.mul_(20)


def other_axes(unet):
    weight = unet.conv_out.weight
    weight.copy_(weight[torch.tensor([1, 2, 3, 0])])


DAMAGES = {no_number: 'not finite', too_loud: 'standard deviation', other_axes: ''}


@pytest.fixture(scope='module', params=DAMAGES, ids=lambda damage: damage.__name__)
def damaged(request):
    models = deepcopy(load_models())
    with torch.no_grad():
        request.param(models.unet)
    return models, DAMAGES[request.param]


def test_no_question_takes_its_key_from_it(damaged):
    models, reason = damaged
    quiz = Session('00_start', store=Store(':memory:'), models=models)
    live = ['every-step', 'three-or-fifty', 'fewest-steps']
    for id in live:
        result = quiz.check(id, quiz.options(id)[0][0] if quiz.options(id) else 3)
        assert result.state == 'ungraded' and result.score is None, (id, result)
        assert "can't be trusted" in result.feedback and reason in result.feedback
    assert quiz.progress().tried == 0


def test_what_needs_no_model_is_marked_all_the_same(damaged):
    quiz = Session('00_start', store=Store(':memory:'), models=damaged[0])
    assert quiz.check('library', 'diffusers').state == 'correct'


def test_a_probe_says_so_itself(damaged):
    with pytest.raises(CannotRun, match='trusted'):
        run_probe('loop', models=damaged[0], prompt='a red seven', steps=2, seed=1, guidance=3)
