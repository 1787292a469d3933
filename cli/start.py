"""Where the process `ucj` begins: until the program is loaded, Ctrl-C ends it without a word.

Imports next to nothing, so that there is hardly a moment in which an interruption is a traceback.
"""

from __future__ import annotations

import gc
import signal

# What is loaded stays, and hardly anything of an answer is a cycle: looking for some after every few
# hundred objects takes a twentieth of a question.
_COLLECTED_EVERY = 50_000


def main() -> None:
    """Run `ucj`; see `cli.main.main`, which hears interruptions again once it can say so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else somebody ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(_COLLECTED_EVERY)
    from cli.main import main as run_and_exit

    run_and_exit()


if __name__ == "__main__":
    main()
