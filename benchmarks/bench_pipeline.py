"""Our pipeline against the packaged one: same weights, same prompt, same steps, in one run.

python benchmarks/bench_pipeline.py [--model doodle] [--steps 50] [--rounds 5] [--json]

Both take turns, so that whatever else the machine does hits both alike; the ratio of the medians is what
counts (below 1: we are faster),
of wall time and, less noisy on a busy machine, of processor time.
Loading is timed in fresh processes, imports included. Exit status 1 if we are slower than the packaged
pipeline by more than 5 % in both, or than the limits.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

PROMPT = 'a large red seven on a blue background'
FRESH = """
import time; t0 = time.perf_counter()
from diffcourse.models.load import load_models
from diffcourse.pipeline.generate import generate
imported = time.perf_counter() - t0
models = load_models({model!r}, device='cpu'); loaded = time.perf_counter() - t0
generate(models, {prompt!r}, steps={steps}, guidance=7.5, seed=1, sampler='ddim')
print('TIMES', imported, loaded, time.perf_counter() - t0)
"""


def packaged(models):
    "The packaged pipeline around the very same networks."
    import diffusers

    pipe = diffusers.StableDiffusionPipeline(
        vae=models.vae,
        text_encoder=models.text_encoder,
        tokenizer=models.tokenizer,
        unet=models.unet,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        scheduler=diffusers.DDIMScheduler.from_config(models.scheduler),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def take_turns(ours, theirs, rounds):
    "Median (wall, processor) seconds of each, in turns, after one round to warm up."
    times = {ours: [], theirs: []}
    for r in range(rounds + 1):
        for f in (ours, theirs) if r % 2 else (theirs, ours):
            wall, cpu = time.perf_counter(), time.process_time()
            f()
            times[f].append((time.perf_counter() - wall, time.process_time() - cpu))
    return [tuple(statistics.median(column) for column in zip(*times[f][1:])) for f in (ours, theirs)]


def fresh(model, steps):
    "Seconds to import, to load, to have a picture; in a new process."
    done = subprocess.run(
        [sys.executable, '-c', FRESH.format(model=model, prompt=PROMPT, steps=steps)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        float(v)
        for v in next(line for line in done.stdout.splitlines() if line.startswith('TIMES')).split()[1:]
    ]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--model', default='doodle')
    p.add_argument('--steps', type=int, default=50)
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--json', action='store_true')
    a = p.parse_args()
    from diffcourse.models.load import load_models
    from diffcourse.pipeline.generate import generate, initial_latents

    models = load_models(a.model, device='cpu')
    pipe = packaged(models)
    out = dict(model=models.name, hash=models.hash, steps=a.steps)
    for name, batch, kw in (
        ('one picture, recorded', 1, {}),
        ('one picture', 1, dict(record=False)),
        ('four pictures', 4, dict(record=False)),
    ):
        prompts, seeds = [PROMPT] * batch, list(range(batch))
        noise = initial_latents(models, seeds)
        ours, theirs = take_turns(
            lambda: generate(models, prompts, steps=a.steps, guidance=7.5, seed=seeds, sampler='ddim', **kw),
            lambda: pipe(prompts, num_inference_steps=a.steps, guidance_scale=7.5, latents=noise),
            a.rounds,
        )
        out[name] = dict(
            ours=round(ours[0], 3),
            packaged=round(theirs[0], 3),
            ratio=round(ours[0] / theirs[0], 3),
            processor_ratio=round(ours[1] / theirs[1], 3),
        )
    imported, loaded, total = fresh(a.model, a.steps)
    out['fresh process'] = dict(imports=round(imported, 2), loaded=round(loaded, 2), picture=round(total, 2))
    print(
        json.dumps(out, indent=1)
        if a.json
        else '\n'.join(
            f'{k:24}{v if not isinstance(v, dict) else "  ".join(f"{n} {x}" for n, x in v.items())}'
            for k, v in out.items()
        )
    )
    worst = max(
        min(v['ratio'], v['processor_ratio']) for v in out.values() if isinstance(v, dict) and 'ratio' in v
    )
    sys.exit(int(worst > 1.05 or out['one picture']['ours'] > 4 or total > 10))


if __name__ == '__main__':
    main()
