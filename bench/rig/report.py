"""Tables for people, plots, and JSON for what comes later: medians with their span."""

import json
import pathlib
import statistics
import textwrap


def paragraph(text):
    """Filled, for the page."""
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def span(values, form):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def left_out_lines(left_out):
    """For what is not in a table, or not with all its rounds, and why."""
    if not left_out:
        return ""
    lines = "\n".join(f"- **{name}**: {reason}" for name, reason in left_out.items())
    return f"Left out, wholly or from some point on:\n\n{lines}\n"


def marks(part):
    return f"<!-- written by make bench: {part} -->", f"<!-- end of what make bench wrote: {part} -->"


class Writer:
    """Where the results of one run go."""

    def __init__(self, root, machine, writes):
        self._root, self.machine, self.writes = pathlib.Path(root), machine, writes

    def about(self):
        return "\n".join(f"- {name}: {value}" for name, value in self.machine.items() if value)

    def plot(self, name):
        """The file to draw into; None where nothing is written."""
        if not self.writes:
            return None
        folder = self._root / "docs/plots"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.svg"

    def write(self, part, heading, text, document):
        """The section of a part, between its marks, and all of its measurements."""
        print("\n" + text)
        if not self.writes:
            return
        _write_section(self._root / "docs/results.md", part, heading, text)
        file = self._write_json(part, document)
        print(f"written: docs/results.md, {file}")

    def _write_json(self, part, document):
        folder = self._root / "bench/results"
        folder.mkdir(exist_ok=True)
        stamp = self.machine["date"].replace(" UTC", "").replace(" ", "-").replace(":", "")
        name = "-".join(part.replace(",", "").split())
        file = folder / f"{stamp}-{self.machine['commit'].partition(' ')[0]}-{name}.json"
        file.write_text(json.dumps({"machine": self.machine, **document}, indent=1) + "\n")
        return file


def _write_section(file, part, heading, text):
    """Replaces the section between the marks, or appends one."""
    begin, end = marks(part)
    section = f"{begin}\n\n{text}\n{end}\n"
    before = file.read_text() if file.exists() else "# Results\n"
    if begin in before and end in before:
        head, _, rest = before.partition(begin)
        after = head + section + rest.partition(end)[2].removeprefix("\n")
    else:
        after = f"{before.rstrip()}\n\n## {heading}\n\n{section}"
    file.parent.mkdir(exist_ok=True)
    file.write_text(after)
