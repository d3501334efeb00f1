"""Which packages a command imports: the large ones take seconds."""

import subprocess
import sys

HEAVY = {"torch", "torchvision", "matplotlib", "scipy", "numpy", "PIL"}


def imported_by(*arguments: str, of: set[str] = HEAVY) -> set[str]:
    """Which of these packages a command imports."""
    code = (
        "import sys\nsys.argv = ['dlproj', *sys.argv[1:]]\nfrom dlproj.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return of & set(done.stdout.split("MODULES")[1].split())
