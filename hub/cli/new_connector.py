"""Writes a connector's first files: one that passes the kit, to be turned into the product's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from keyword import iskeyword
from pathlib import Path
from string import Template

from hub.errors import WrongState

_FILES = {"__init__.py": "connector.py.txt", "simulator.py": "simulator.py.txt", "README.md": "README.md.txt"}
_SECTION = '[project.entry-points."hub.connectors"]'


def is_name(name: str) -> bool:
    """A connector's name is its package's name too."""
    return re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None and not iskeyword(name)


def kind_of(name: str) -> str:
    """The name of its class: `acme_crm` is `AcmeCrm`."""
    return "".join(part.capitalize() for part in name.split("_"))


def scaffold(name: str, *, module: str) -> Mapping[str, str]:
    """The files of a new connector by name, for a package that is imported as `module`."""
    words = {
        "name": name,
        "module": module,
        "kind": kind_of(name),
        "title": name.replace("_", " ").title(),
        "code": name.replace("_", "")[:4].upper(),
    }
    folder = files("hub.cli") / "scaffold"
    return {
        made: Template((folder / template).read_text(encoding="utf-8")).substitute(words)
        for made, template in _FILES.items()
    }


def write(name: str, into: Path) -> list[Path]:
    """Write the files below `into`. Raises WrongState where there is such a folder already."""
    folder = into / name
    if folder.exists():
        raise WrongState(f"{folder} is there already; edit it, or choose another name.")
    module = ".".join((*into.parts, name))
    folder.mkdir(parents=True)
    for file, text in scaffold(name, module=module).items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in _FILES]


def declare(name: str, module: str, pyproject: Path) -> bool:
    """Add the entry point to a pyproject.toml that declares others; False where there is none to add it to."""
    if not pyproject.is_file():
        return False
    text = pyproject.read_text(encoding="utf-8")
    before, section, after = text.partition(f"{_SECTION}\n")
    if not section:
        return False
    line = f'{name} = "{module}:{kind_of(name)}"\n'
    pyproject.write_text(f"{before}{section}{line}{after}", encoding="utf-8")
    return True
