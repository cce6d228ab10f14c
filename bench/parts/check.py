"""check: do the contenders do what they are measured at?

Each gets keys one after the other, every key several times, and then several times at once, in front of an upstream
that answers each request differently and counts. A contender that runs a key twice, or whose replays differ, fails;
where duplicates at the same time are known to run twice, how often they did is only told.
"""

import concurrent.futures
import contextlib
import http.client

import contenders
from rig import counting_upstream, field, load, report

NEEDS = ()
HEADING = "What the contenders do with duplicates"
KEYS = 20
TIMES = 3
PARALLEL = 8
EARLY_MAX = 1000  # For one key.


def _key(contender, way, number):
    """Of this contender's own: those of one peer share their records."""
    return f"{way}-{''.join(letter for letter in contender.name if letter.isalnum())}-{number}"


def _in_turn(contender, key):
    """The answers to a key that is sent TIMES times, and how many duplicates found the record not yet there."""
    answers, too_early = [load.post(contender, key)], 0
    while len(answers) < TIMES:
        answer = load.post(contender, key)
        if answer[0] == 409 and not contender.records_before_it_answers and too_early < EARLY_MAX:
            too_early += 1
            continue
        answers.append(answer)
    return answers, too_early


def _one_after_the_other(contender, upstream):
    """(what is wrong, how many duplicates came before the record of an answer that had been given)"""
    bodies, early = set(), 0
    for number in range(KEYS):
        key, before = _key(contender, "in-turn", number), upstream.answered
        answers, too_early = _in_turn(contender, key)
        early += too_early
        if any(status != 200 for status, _ in answers):
            return f"key {number}: answered {[status for status, _ in answers]}", early
        if len({body for _, body in answers}) != 1:
            return f"key {number}: the replays differ from the first answer", early
        seen = upstream.answered - before
        if seen != contender.forwards or upstream.seen[key] > 1:
            return f"key {number}: the upstream saw it {seen} times", early
        bodies.add(answers[0][1])
    return "" if len(bodies) == KEYS else f"{KEYS} keys got {len(bodies)} different answers", early


def _at_once(contender, upstream):
    """How often the upstream, or the application, ran KEYS keys that came PARALLEL times each at once."""
    ran = 0
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for number in range(KEYS):
            key, before = _key(contender, "at-once", number), upstream.answered
            answers = list(pool.map(load.post, [contender] * PARALLEL, [key] * PARALLEL))
            different = len({body for status, body in answers if status == 200})
            ran += upstream.answered - before if contender.forwards else different
    return ran


def _passes_through(contender, upstream):
    before = upstream.seen[""]
    statuses = {load.post(contender, "")[0] for _ in range(KEYS)}
    if statuses != {200}:
        return f"answered {statuses}"
    seen = upstream.seen[""] - before
    return "" if seen == KEYS * contender.forwards else f"the upstream saw {seen} of {KEYS} requests"


def _check(contender, upstream):
    """(what is wrong, what was seen)"""
    if contender.load == "unguarded.lua":
        wrong = _passes_through(contender, upstream)
        return wrong, "every request seen by the upstream" if contender.forwards else "answers by itself"
    wrong, early = _one_after_the_other(contender, upstream)
    if wrong:
        return wrong, ""
    ran = _at_once(contender, upstream)
    seen = f"{KEYS} keys {TIMES} times in turn ran {KEYS} times; {PARALLEL} times at once they ran {ran} times"
    if early:
        seen += f"; duplicates that got a 409 after the key had been answered: {early}"
    return (seen if ran != KEYS and contender.one_of_parallel_duplicates else ""), seen


def _report(told, left_out):
    rows = "\n".join(f"| {contender.role} | {contender.name} | {'WRONG: ' + wrong if wrong else seen} |"
                     for contender, wrong, seen in told)
    what = report.paragraph(f"""
{KEYS} keys, each sent {TIMES} times in turn, and {KEYS} others, each sent {PARALLEL} times at once, before an upstream
that answers every request differently and counts. In turn, every duplicate got the first answer, or the row says WRONG.
""")
    return f"""\
{what}

| role | contender | what was seen |
|---|---|---|
{rows}

{report.left_out_lines(left_out)}"""


def run(options, folder):
    told = []
    with contextlib.ExitStack() as cleanup:
        upstream = counting_upstream.CountingUpstream()
        cleanup.callback(upstream.stop)
        those = field.Field(options, options.chosen(contenders.CONTENDERS), folder, cleanup)
        failed = False
        for contender in those.start(max(options.workers), upstream.port):
            try:
                wrong, seen = _check(contender, upstream)
            except (OSError, http.client.HTTPException) as error:
                wrong, seen = f"{type(error).__name__}: {error}", ""
            failed = failed or bool(wrong)
            told.append((contender, wrong, seen))
            print(f"check {contender.name}: {'WRONG: ' + wrong if wrong else seen}", flush=True)
        options.writer.write("check", HEADING, _report(told, those.left_out), {
            "checks": [{"contender": each.name, "wrong": wrong, "seen": seen} for each, wrong, seen in told],
            "left_out": those.left_out})
        return not failed and not any(reason.startswith("failed") for reason in those.left_out.values())
