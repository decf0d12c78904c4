"""`make bench`: speed and accuracy, each beside a baseline measured in the same run.

The scripts of ../shared/tools are run where they are there; the rest makes its own data.
"""

import subprocess
import sys
from pathlib import Path

from tests import (
    bench_delivery,
    bench_digest,
    bench_import,
    bench_matching,
    bench_pipeline,
    bench_search,
    bench_stories,
)

SHARED = Path(__file__).parents[2] / "shared"
LANGUAGES = ("be", "ru", "uk", "pl", "en")


def script(name: str, *arguments: str) -> None:
    print(f"\n{name} {' '.join(Path(argument).name for argument in arguments)}", flush=True)
    command = [sys.executable, str(SHARED / "tools" / name), *arguments, "--python", sys.executable]
    subprocess.run(command, check=True)


def main() -> None:
    if (SHARED / "tools").is_dir():
        lemmas = {code: str(SHARED / "data" / "lemmas" / f"{code}.jsonl") for code in LANGUAGES}
        for code, path in lemmas.items():
            script("evaluate_matching.py", path, "--lang", code)
            script("evaluate_matching.py", path)
        script("measure_matching_speed.py", *lemmas.values())
    measures = (
        *bench_matching.MEASURES,
        *bench_import.MEASURES,
        bench_pipeline.measure,
        bench_stories.measure,
        bench_delivery.measure,
        bench_digest.measure,
        bench_search.measure,
    )
    for measure in measures:
        for said in measure() or ():  # some print as they go
            print(said, flush=True)


if __name__ == "__main__":
    main()
