"""Plots as SVG, with text that stays text. Without python3-matplotlib there are none, which is said."""

import statistics
import sys

try:
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "onceward", "font.size": 9,
                                "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot, ticker
except ImportError:
    pyplot = None
    print("plots: skipped: python3-matplotlib is not installed (tools/install bench)", file=sys.stderr)


def _save(figure, file):
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    file.write_text("\n".join(line.rstrip() for line in file.read_text().splitlines()) + "\n")
    return True


def bars(file, title, unit, rows, series, form="{:,.1f}"):
    """Horizontal bars: for each row and each name in `series` the median of its values, with their span; a logarithmic
    axis, because contenders differ by magnitudes. Whether it was drawn."""
    if pyplot is None or not any(any(values) for values in series.values()):
        return False
    figure, axes = pyplot.subplots(figsize=(9, 0.9 + len(rows) * (0.18 + 0.2 * len(series))))
    height = 0.8 / len(series)
    everything = [value for values in series.values() for each in values for value in each]
    for at, (name, values) in enumerate(series.items()):
        label = name
        for row, each in enumerate(values):
            if not each:
                continue
            middle = statistics.median(each)
            axes.barh(row + at * height, middle, height * 0.9, color=f"C{at}", label=label,
                      xerr=[[middle - min(each)], [max(each) - middle]], error_kw={"lw": 1, "ecolor": "0.3"})
            axes.text(max(each) * 1.05, row + at * height, form.format(middle), va="center")
            label = None
    axes.set_xscale("log")
    axes.set_xlim(min(everything) / 2, max(everything) * 2)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.margins(y=0.01)
    axes.set_yticks([row + height * (len(series) - 1) / 2 for row in range(len(rows))], rows)
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit}; logarithmic")
    axes.set_title(title, loc="left")
    if len(series) > 1:
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=len(series))
    return _save(figure, file)


def lines(file, title, panels):
    """Panels side by side, each (what is across, what is up, {name: [(across, up), …]}), both from zero. Whether it was
    drawn."""
    if pyplot is None:
        return False
    figure, places = pyplot.subplots(1, len(panels), figsize=(3.6 * len(panels), 3), squeeze=False)
    for axes, (across, up, series) in zip(places[0], panels):
        for name, points in series.items():
            axes.plot(*zip(*sorted(points)), marker="o", label=name)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        if len(series) > 1:
            axes.legend(frameon=False)
    figure.suptitle(title, x=0.02, ha="left")
    figure.tight_layout()
    return _save(figure, file)
