"""The files of the house, and their syntax trees, for the tests that guard its rules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or may become part of the project; what git ignores is not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive has no git
        found = [path for folder in ("hub", "connectors", "mappings", "tests") for path in (ROOT / folder).rglob("*")]
    return tuple(path for path in found if path.is_file())


def modules(*folders: str) -> list[Path]:
    """The Python files in these folders (or these files themselves), from the root."""
    wanted = [ROOT / folder for folder in folders]
    return sorted(
        path for path in files() if path.suffix == ".py" and any(path == at or at in path.parents for at in wanted)
    )


def name(path: Path) -> str:
    """How a file is called in a message: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything a module imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`os.environ` for that expression, `?.get` where its beginning is not a name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"
