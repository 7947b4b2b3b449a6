"""Speed of drawing the data and of starting the command line. One JSON line each; status 1 if a limit is
missed."""

import json
import os
import subprocess
import sys
import time

missed = []


def report(what, value, unit, limit, at_least=False):
    "One line, and a note of what failed."
    ok = value >= limit if at_least else value <= limit
    if not ok:
        missed.append(what)
    print(
        json.dumps(dict(what=what, value=round(value, 3), unit=unit, limit=limit, ok=ok), ensure_ascii=False),
        flush=True,
    )


def timed(f, times=1):
    "Seconds of the quickest of `times` calls."

    def one():
        began = time.perf_counter()
        f()
        return time.perf_counter() - began

    return min(one() for _ in range(times))


def drawings():
    "How many drawings a second, on one core."
    from diffcourse.base.doodles import doodle

    doodle(0)
    report(
        'drawings a second',
        500 / timed(lambda: [doodle(i) for i in range(500)], 3),
        '1/s',
        500,
        at_least=True,
    )


def command_line():
    "`diffcourse --help`, as a user waits for it."

    def call():
        return subprocess.run(
            [sys.executable, '-m', 'diffcourse', '--help'], stdout=subprocess.DEVNULL, check=True
        )

    script = os.path.join(os.path.dirname(sys.executable), 'diffcourse')
    if os.path.exists(script):

        def call():
            return subprocess.run([script, '--help'], stdout=subprocess.DEVNULL, check=True)

    report('diffcourse --help', timed(call, 5), 's', 0.5)


if __name__ == '__main__':
    drawings()
    command_line()
    if missed:
        sys.exit(f'missed: {"; ".join(missed)}')
