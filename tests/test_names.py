"""One meaning a name: no class and no public function of the product is defined in two modules.

Whoever searches for a name finds one thing. Methods are not counted: their class says which one it is.
"""

import ast
from collections import defaultdict

from tests.test_layers import MODULES

# Names that several modules may have, and why.
SHARED = {
    "add": "every subcommand's `add(commands)`, which the parser calls: one protocol",
    "run": "every subcommand's `run(arguments)`, which the parser calls: one protocol",
}
# Those that still have two meanings; a name that is given to one of them is taken off this list.
STILL_TWICE = set(
    """
    Plan
    Record
    _Run
    add
    check
    checked
    decoded
    describe
    described
    identities
    kept
    load
    parts
    read
    run
    save
    sentence
    write
    """.split()
)


def defined() -> dict[str, list[str]]:
    """Return the modules that define each class, private ones too, and each public function, by its name."""
    found = defaultdict(list)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text()).body:
            public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
            if public or isinstance(node, ast.ClassDef):
                found[node.name].append(module)
    return found


def test_a_name_means_one_thing() -> None:
    twice = {name: modules for name, modules in defined().items() if len(modules) > 1}
    assert not {name: modules for name, modules in twice.items() if name not in SHARED.keys() | STILL_TWICE}


def test_what_is_shared_by_a_protocol_is_shared_by_the_subcommands_alone() -> None:
    for name in SHARED:
        assert all(module.startswith("vcd_ext.cli.") for module in defined()[name] if name not in STILL_TWICE)
