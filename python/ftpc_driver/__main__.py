"""`python -m ftpc_driver COMMAND …`: a command is a module with `main(arguments)`, imported when asked for."""

import importlib
import sys

COMMANDS = {
    "train": "ftpc_driver.training.command",
    "worker": "ftpc_driver.worker",
    "inspect": "ftpc_driver.models.inspection",
    "probe": "ftpc_driver.probe.command",
    "doctor": "ftpc_driver.doctor",
}


def main() -> int:
    command, *arguments = sys.argv[1:] or [""]
    if command not in COMMANDS:
        print(f"usage: python -m ftpc_driver {'|'.join(COMMANDS)} …", file=sys.stderr)
        return 2
    code: int = importlib.import_module(COMMANDS[command]).main(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())
