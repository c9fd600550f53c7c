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
    "load": "what a module loads, said with it as in `json.load`; `motion.load` is a name promised to others",
    "save": "the other side of `load`: `state.save`, `latent_cache.save`",
    "read": "what a module reads, said with it; `media.read` is a name promised to others",
    "write": "the other side of `read`; `media.write` is a name promised to others",
}


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
    twice = {name for name, modules in defined().items() if len(modules) > 1}
    assert {name: defined()[name] for name in twice - SHARED.keys()} == {}
    assert twice >= SHARED.keys(), "a name that one module has needs no exception"


def test_only_subcommands_share_what_the_parser_calls() -> None:
    for name in ("add", "run"):
        assert all(module.startswith("vcd_ext.cli.") for module in defined()[name])
