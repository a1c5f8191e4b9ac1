"""Compare trained models on digits that none has seen, and draw how well each reads which."""

import argparse
from html import escape

import joblib
from data import testing

WIDTH, BAR, GAP, LEFT, TOP, HEIGHT = 760, 28, 12, 60, 50, 240
COLOURS = ("#4878a8", "#e0a458", "#5f9e6e")


def picture(scores: dict[str, list[float]], total: dict[str, float]) -> str:
    """Return an SVG document: for each digit a bar of each model, as high as it is right."""
    parts = []
    for place, (name, per_digit) in enumerate(scores.items()):
        colour = COLOURS[place % len(COLOURS)]
        legend = f"{name}: {total[name]:.1%} of all"
        x = LEFT + place * 220
        parts.append(f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="24">{escape(legend)}</text>')
        for digit, score in enumerate(per_digit):
            x = LEFT + digit * (2 * BAR + GAP) + place * BAR
            top = TOP + HEIGHT * (1 - score)
            parts.append(
                f'<rect x="{x}" y="{top:.1f}" width="{BAR - 2}" height="{HEIGHT * score:.1f}" '
                f'fill="{colour}"><title>{escape(name)} {digit}: {score:.1%}</title></rect>'
            )
    bottom = TOP + HEIGHT
    for digit in range(10):
        x = LEFT + digit * (2 * BAR + GAP) + BAR
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{digit}</text>')
    for share in (0.0, 0.5, 1.0):
        y = bottom - HEIGHT * share
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    inside = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 30}">\n'
        "<style>text{font:12px sans-serif;fill:#333}</style>\n"
        f'<rect width="100%" height="100%" fill="#fff"/>\n{inside}\n</svg>\n'
    )


def main() -> None:
    """Be the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--picture", required=True)
    options = parser.parse_args()
    images, labels = testing()
    scores, total = {}, {}
    for path in options.models:
        kept = joblib.load(path)
        right = kept["model"].predict(images) == labels
        total[kept["name"]] = right.mean()
        scores[kept["name"]] = [right[labels == digit].mean() for digit in range(10)]
        print(f"{kept['name']}: {right.mean():.1%} of {len(labels)} digits")
    with open(options.picture, "w", encoding="utf-8") as file:
        file.write(picture(scores, total))
    print(f"drawn in {options.picture}")


if __name__ == "__main__":
    main()
