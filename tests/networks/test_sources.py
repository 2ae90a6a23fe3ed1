"""The stand-alone export joins these sources into one file: what that needs of them."""

import ast
import inspect
import sys
from collections import Counter

import pytest

from naokit.networks import cell, depthwise, image, operations, stem

TREES = {
    m.__name__: ast.parse(inspect.getsource(m)) for m in (depthwise, operations, cell, stem, image)
}
ALLOWED = {"torch", "jaxtyping", "naokit.base", "naokit.settings", *TREES, *sys.stdlib_module_names}


@pytest.mark.parametrize("module", TREES)
def test_they_import_torch_the_standard_library_and_each_other(module: str) -> None:
    names = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    foreign = {n for n in names if n not in ALLOWED and n.split(".")[0] not in ALLOWED}
    assert not foreign
    assert "__future__" in names


def test_no_two_define_the_same_name() -> None:
    names: Counter[str] = Counter()
    for tree in TREES.values():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names[node.name] += 1
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names.update(target.id for target in targets if isinstance(target, ast.Name))
    assert {name for name, count in names.items() if count > 1} == set()
    assert {"ImageNetwork", "Cell", "OPERATIONS"} <= names.keys()
