"""Word lists in languages of the user's choice, for a detector of their own."""

from pathlib import Path

from dlproj.data.soft_labels import of_one_language, write_frequencies
from dlproj.data.word_lists import frequency_table
from dlproj.errors import DlprojError, UsageError
from dlproj.output.console import Console
from dlproj.output.document import document
from dlproj.output.tables.base import Table
from dlproj.store.runs import write_file


def write_words(languages: str, out: Path, *, most: int, force: bool, console: Console) -> None:
    """Write a .csv of words and their frequency in each language, for `train-langid --data`.

    Args:
        languages: codes with commas between them.
        out: the file to write.
        most: how many words of each language: the most frequent.
        force: write over a file that is there.
        console: where to say what was written.

    Raises:
        UsageError: fewer than two languages, one twice, or one that wordfreq does not know.
        DlprojError: wordfreq is not installed, or the file exists or cannot be written.
    """
    codes = [code.strip() for code in languages.split(",")]
    if len(codes) < 2 or len(set(codes)) < len(codes):
        raise UsageError(
            f"--languages must be two or more codes, each once, as in de,fr, not {languages!r}"
        )
    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out {out}: must end in .csv, which train-langid --data reads")
    if out.exists() and not force:
        raise DlprojError(f"--out {out}: exists already; name another file, or add --force")
    table = frequency_table(codes, most=most)
    try:
        write_file(out, write_frequencies(table))
    except OSError as error:
        raise DlprojError(f"--out {out}: cannot be written ({error.strerror})") from None
    owned = of_one_language(table.frequencies)
    likeliest = table.frequencies.argmax(1)
    counts = {
        code: {
            "words": int((likeliest == place).sum()),
            "of_one_language": int((owned & (likeliest == place)).sum()),
        }
        for place, code in enumerate(codes)
    }
    rows = [[code, *(f"{count:,}" for count in each.values())] for code, each in counts.items()]
    found = document("build-words", file=str(out), words=len(table.words), languages=counts)
    head = ("language", "words most frequent there", "ten times as frequent as elsewhere")
    console.result(found, [Table(f"{len(table.words):,} words in {out}", head, rows)])
