"""Error of every sampler against calls of the network, on data whose perfect denoiser is known.
A table, or JSON lines with --json; --figure FILE draws it. Status 1 if a sampler's order of convergence is
not what theory says. Nothing here depends on the speed of the machine."""

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from diffcourse.base.errors import CourseError
from diffcourse.maths.exact import mixture_denoiser
from diffcourse.maths.schedule import schedule_from_config
from diffcourse.samplers.base import get_sampler, samplers
from diffcourse.samplers.compare import fit_order, convergence_errors, quantiles, benchmark, solve_ode

SD = dict(beta_schedule='scaled_linear', beta_start=0.00085, beta_end=0.012)
BUDGETS = [5, 9, 15, 25, 49, 99]
ORDERS = {
    'euler': 1,
    'ddim': 1,
    'heun': 2,
    'dpmpp_2m': 2,
    'dpmpp_2s_ancestral': 2,
    'unipc': 3,
    'lms': 4,
}  # chance switched off


def orders():
    "Measured on a mixture of three normal distributions in the plane, on geometric levels."
    means, stds, weights = (
        torch.tensor([[1.0, 0.5], [-0.8, 0.9], [0.1, -1.1]]).double(),
        torch.tensor([0.35, 0.5, 0.4]).double(),
        torch.tensor([0.5, 0.3, 0.2]).double(),
    )
    denoise = mixture_denoiser(means, stds, weights)
    start = torch.randn(16, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ends = {}
    for name, theory in ORDERS.items():
        counts, high = (
            ([320, 480], 80.0) if theory < 3 else ([120, 180], 80.0) if theory < 4 else ([480, 720], 1e5)
        )
        if high not in ends:
            ends[high] = solve_ode(
                denoise, start * (1 - 1 / (high**2 + 1)) ** 0.5, 1 / (high**2 + 1), 1 / (0.02**2 + 1), 1000
            )
        yield (
            name,
            theory,
            fit_order(
                counts, convergence_errors(get_sampler(name), denoise, start, counts, high, right=ends[high])
            ),
        )


def chance_alone(n, means=(-1.0, 0.8), stds=(0.2, 0.4), weights=(0.4, 0.6)):
    """Distance of n random draws from the data, the mean of 50 trials: samplers with chance can't be told
    from the truth below it."""
    g = torch.Generator().manual_seed(0)
    right = quantiles(n, means, stds, weights)

    def trial():
        k = torch.multinomial(torch.tensor(weights), n, replacement=True, generator=g)
        drawn = torch.tensor(means)[k] + torch.tensor(stds)[k] * torch.randn(n, generator=g)
        return (drawn.double().sort()[0] - right).square().mean().sqrt().item()

    return sum(trial() for _ in range(50)) / 50


def table(rows, what):
    "One line a sampler."
    print(f'\n{"":20}' + ''.join(f'{b:>10}' for b in BUDGETS))
    for name in sorted(samplers()):
        values = [getattr(r, what) for r in rows if r.name == name]
        if not all(map(math.isnan, values)):
            print(f'{name:20}' + ''.join(f'{v:>10.4f}' for v in values))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--json', action='store_true')
    parser.add_argument('--figure', type=Path)
    parser.add_argument('--spacing', default='karras', help='for samplers that can have it')
    parser.add_argument('--n', type=int, default=2048)
    a = parser.parse_args()
    try:
        rows = benchmark(schedule_from_config(SD), sorted(samplers()), BUDGETS, n=a.n, spacing=a.spacing)
    except CourseError as e:
        sys.exit(str(e))
    measured = list(orders())
    if a.json:
        for r in rows:
            print(json.dumps({k: None if v != v else v for k, v in vars(r).items()}))
        for name, theory, order in measured:
            print(
                json.dumps(
                    dict(name=name, theory=theory, order=round(order, 3), ok=abs(order - theory) < 0.15)
                )
            )
    else:
        print('Distance to the right end of the path, by calls of the network')
        table(rows, 'path')
        print('\nDistance between what is drawn and the data (Wasserstein), by calls')
        table(rows, 'spread')
        print(
            f'{"chance alone":20}{chance_alone(a.n):>10.4f}   what as many numbers drawn from the data '
            'themselves have'
        )
        print('\nOrder of convergence')
        print(*(f'{n:20} {o:5.2f}   theory {t}' for n, t, o in measured), sep='\n')
    if a.figure:
        from diffcourse.widgets.charts import race_figure

        a.figure.write_text(race_figure(rows).svg()) if a.figure.suffix == '.svg' else race_figure(
            rows
        ).pil().save(a.figure)
    if missed := [n for n, t, o in measured if abs(o - t) >= 0.15]:
        sys.exit(f'not of the order theory says: {", ".join(missed)}')


if __name__ == '__main__':
    main()
