"""How does what was counted look as a picture? PURE: counts → PNG.

A dark card with light letters: it stands in a dark chat as well as in a light one. Drawn for a
phone: 400 points wide, at twice the pixels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from io import BytesIO
from typing import Any

from bot import speech
from bot.speech import say
from storage.said import Said
from watchers.editions import Series

PAPER, INK, FAINT = "#17212b", "#f4f6f8", "#9fb0bf"  # letters on it: contrast 14.9 and 7.3
# Okabe and Ito's colours, which the colour-blind tell apart, those that show on a dark ground.
COLOURS = ("#56b4e9", "#e69f00", "#2fc49b", "#f0e442", "#e08bb8")
OTHERS = "#8796a5"
OTHERS_NAME = Said("others")
WIDTH, HEIGHT, DPI = 4.0, 2.6, 200  # inches; 800 × 520 pixels
LEGEND_NAME = 18  # characters of a name
BAR = 0.86  # of the room between two edges
TICKS = 5
LEGEND_COLUMNS = 3


def load() -> None:
    """Load what draws: that takes a second, which whoever waits for the first chart need not."""
    from matplotlib.backends import backend_agg
    from matplotlib.figure import Figure

    backend_agg.FigureCanvasAgg(Figure())


def chart(series: Series, title: str, zone: tzinfo) -> bytes:
    """Posts over time by watchlist, as a PNG. Times are those of the zone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch

    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=PAPER)
    bars = shown(series.counts)
    room = 0.60 if len(bars) + (series.usual is not None) > LEGEND_COLUMNS else 0.67
    axes = figure.add_axes((0.085, 0.115, 0.895, room), facecolor=PAPER)
    below = [0] * (len(series.edges) - 1)
    for number, (_, counts) in enumerate(bars.items()):
        shape = PathPatch(_bars(below, counts), color=_colour(number, bars), linewidth=0)
        axes.add_patch(shape)
        below = [low + count for low, count in zip(below, counts, strict=True)]
    if series.usual is not None:
        axes.axhline(series.usual, color=INK, linewidth=1.4, linestyle=(0, (4, 2)))
    _dress(axes, series, below, zone)
    figure.text(
        0.03,
        0.945,
        _drawable(title),
        color=INK,
        fontsize=10.5,
        weight="bold",
        va="center",
        parse_math=False,
    )
    _legend(figure, bars, series.usual)
    out = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def shown(counts: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """As many as have a colour, and the others together."""
    names = list(counts)
    if len(names) <= len(COLOURS) + 1:
        return dict(counts)
    rest = [counts[name] for name in names[len(COLOURS) :]]
    together = [sum(column) for column in zip(*rest, strict=True)]
    return {name: counts[name] for name in names[: len(COLOURS)]} | {say(OTHERS_NAME): together}


def _bars(bottoms: Sequence[int], heights: Sequence[int]) -> Any:
    """All bars of a colour as one shape: of a shape each matplotlib makes ten times the work."""
    from matplotlib.path import Path

    corners: list[tuple[float, float]] = []
    for at, (low, height) in enumerate(zip(bottoms, heights, strict=True)):
        left, right, top = at - BAR / 2, at + BAR / 2, low + height
        corners += [(left, low), (right, low), (right, top), (left, top), (left, low)]
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY]
    return Path(corners, codes * len(heights))


def _colour(number: int, bars: Mapping[str, object]) -> str:
    return COLOURS[number] if number < len(COLOURS) else OTHERS


def _dress(axes: Any, series: Series, tops: Sequence[int], zone: tzinfo) -> None:
    """Few lines, few numbers, large enough."""
    from matplotlib.ticker import MaxNLocator

    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.set_xlim(-0.6, len(tops) - 0.4)
    axes.set_ylim(0, max(1.0, 1.08 * max(*tops, series.usual or 0, 0)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", colors=FAINT, labelsize=8.5, length=0, pad=3)
    places = ticks(series.edges, zone)
    axes.set_xticks([place - 0.5 for place, _ in places], [label for _, label in places])


def ticks(edges: Sequence[datetime], zone: tzinfo) -> list[tuple[int, str]]:
    """Which bars begin a labelled stretch: whole days when there are several, else round hours."""
    local = [edge.astimezone(zone) for edge in edges[:-1]]
    if edges[-1] - edges[0] > timedelta(days=2):
        days = [n for n, at in enumerate(local) if n == 0 or at.date() != local[n - 1].date()]
        if len(days) > 1 and local[0].hour:
            days = days[1:]
        return [(n, f"{local[n].day} {speech.month(local[n].month)}") for n in _some(days)]
    hours = [n for n, at in enumerate(local) if at.minute == 0]
    for every in (1, 2, 3, 6, 12):
        round_hours = [n for n in hours if local[n].hour % every == 0]
        if len(round_hours) <= TICKS + 1:
            hours = round_hours
            break
    return [(n, f"{local[n]:%H:%M}") for n in hours or _some(list(range(len(local))))]


def _some(places: list[int]) -> list[int]:
    step = -(-len(places) // TICKS)
    return places[::step]


def _legend(figure: Any, bars: Mapping[str, Sequence[int]], usual: float | None) -> None:
    """Names with their numbers, in two lines of three."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(color=_colour(number, bars), label=f"{_drawable(name, LEGEND_NAME)} {sum(counts)}")
        for number, (name, counts) in enumerate(bars.items())
    ]
    if usual is not None:
        handles.append(
            Line2D([], [], color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label=say("usual"))
        )
    legend = figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.015, 0.905),
        ncols=LEGEND_COLUMNS,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=1.0,
        handleheight=0.9,
        columnspacing=1.0,
        handletextpad=0.5,
        borderpad=0.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _drawable(text: str, limit: int = 46) -> str:
    """One short line in letters that the font has."""
    flat = "".join(c if c.isprintable() and _has(c) else "?" for c in " ".join(text.split()))
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def _has(character: str) -> bool:
    """Latin, Greek, Cyrillic and the usual marks."""
    return ord(character) < 0x530 or character in "–—…«»“”„‘’№·•→"
