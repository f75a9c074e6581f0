"""The files of `mappings/`: read from disk, parsed with positions, and merged where one extends another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hub.core.findings import Finding, Place
from hub.core.tree import Path, Places

MAX_SOURCE: Final = 64 * 1024  #: characters of one YAML file
MAX_TABLE: Final = 1024 * 1024  #: characters of one CSV file
PATTERNS: Final = "patterns"
_IGNORED: Final = frozenset(["README.md"])
_WHOLE: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)?\.?[0-9]+([eE][-+]?[0-9]+)?|[-+]?(0|[1-9][0-9]*)\.")
_ODD_NUMBER: Final = re.compile(
    r"[-+]?0[0-9]+(\.[0-9]*)?|0[xob][0-9a-fA-F_]+|[-+]?[0-9][0-9_]*_[0-9_]*|[-+]?\.(inf|nan)", re.IGNORECASE
)
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "value")
)


def read_tree(folder: FilePath) -> dict[str, str]:
    """Every council file under the folder, by its path; patterns that it lacks come from the installed package.

    A file that is neither YAML nor CSV is there by name and without its
    content, so that `load` can say so. Raises nothing for a folder that is empty
    or not there.
    """
    packaged = FilePath(__file__).parent / PATTERNS
    if not packaged.is_dir():  # a checkout: a wheel carries them inside the package
        packaged = FilePath(__file__).parent.parent / "mappings" / PATTERNS
    files = {f"{PATTERNS}/{name}": text for name, text in _files(packaged)}
    files.update(_files(folder))
    return dict(sorted(files.items()))


def _files(folder: FilePath) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
        if hidden or path.name in _IGNORED or not path.is_file():
            continue
        if path.suffix not in (".yaml", ".csv"):
            yield name, ""
            continue
        with path.open("rb") as file:
            # One byte over the cap is enough to say that it is over.
            raw = file.read(4 * MAX_TABLE + 1)
        yield name, raw.decode("utf-8", errors="replace").removeprefix("\ufeff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doc:
    """One YAML file (with what it extends) as plain data, and where everything in it stands."""

    file: str
    data: Any
    places: Places


@dataclass(slots=True)
class _Reading:
    file: str
    lines: list[str]
    findings: list[Finding] = field(default_factory=list)
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def find(self, node: Node, code: str, message: str, remedy: str) -> None:
        self.findings.append(Finding.at(self.place(node), code, message, remedy))

    def place(self, node: Node) -> Place:
        """Where the value's own text begins: after a quote, on the line below a `|`."""
        mark = node.start_mark
        line, column = mark.line + 1, mark.column + 1
        style = getattr(node, "style", None)
        if isinstance(node, ScalarNode) and style in ("|", ">"):
            below = self.lines[line] if line < len(self.lines) else ""
            return Place(file=self.file, line=line + 1, column=len(below) - len(below.lstrip()) + 1)
        return Place(file=self.file, line=line, column=column + (style in ("'", '"')))

    def value(self, node: Node, path: Path) -> Any:
        self.values.setdefault(path, self.place(node))
        if id(node) in self.seen:
            # An alias has no place of its own: it is reported at its key.
            place = self.keys.get(path) or self.values[path]
            message = "an alias (`*name`) is not read here"
            self.findings.append(Finding.at(place, "yaml_alias", message, "write it out, or use `extends:`"))
            return None
        self.seen.add(id(node))
        if node.tag not in _TAGS:
            self.find(node, "yaml_tag", f"the tag `{node.tag}` is not read here", "write a plain value")
            return None
        match node:
            case MappingNode():
                return self._map(node, path)
            case SequenceNode():
                return [self.value(each, (*path, at)) for at, each in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _map(self, node: Any, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self.find(key_node, "wrong_type", "a key is a word, not a list or map", "write a plain key")
                continue
            if str(key_node.tag).endswith(":merge"):
                self.find(key_node, "yaml_alias", "`<<` is not read here", "use `extends:`")
                continue
            self.seen.add(id(key_node))
            key = _key(key_node)
            below = (*path, key)
            if key in made:
                first = self.keys[below].line
                message = f"`{key}` stands twice (first on line {first})"
                self.find(key_node, "duplicate_key", message, "keep one of them")
                continue
            self.keys[below] = self.place(key_node)
            made[key] = self.value(value_node, below)
            if isinstance(value_node, MappingNode | SequenceNode) and not value_node.flow_style:
                self.values[below] = self.keys[below]
        return made

    def _scalar(self, node: Any) -> Any:
        text: str = node.value
        if node.style is not None or (node.tag == "tag:yaml.org,2002:str" and _plain(text) is not text):
            return text
        if _ODD_NUMBER.fullmatch(text):
            message = f"`{text}` could be read as two different numbers"
            self.find(node, "ambiguous_number", message, "quote it if it is a code, else write it plainly")
        return _plain(text)


def _plain(text: str) -> Any:
    """A plain scalar as YAML 1.2's core schema reads it; dates stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text) and len(text) < 100:
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _key(node: Any) -> str:
    """Keys are words: `true:` and `81:` are the keys "true" and "81"."""
    if node.style is None and node.value in ("True", "TRUE", "False", "FALSE"):
        return str(node.value).lower()
    return str(node.value)


@lru_cache(maxsize=256)
def read_yaml(text: str, file: str) -> tuple[Doc | None, Sequence[Finding]]:
    """One file's data and positions, or why it cannot be read. Duplicate keys are findings.

    Most files are as they were when they were read last, and nobody changes what comes of this.
    """
    top = Place(file=file)
    if len(text) > MAX_SOURCE:
        message = f"the file is larger than {MAX_SOURCE // 1024} KB"
        return None, [Finding.at(top, "too_large", message, "move tables into CSV files")]
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else top
        return None, [Finding.at(place, "yaml_syntax", _said(error), "mend the YAML here")]
    except (YAMLError, RecursionError, ValueError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "it holds a character that YAML refuses"
        return None, [Finding.at(top, "yaml_syntax", what, "mend the YAML")]
    if node is None:
        return None, [Finding.at(top, "yaml_syntax", "the file is empty", "fill it in, or remove it")]
    reading = _Reading(file, text.splitlines())
    data = reading.value(node, ())
    reading.values[()] = top
    return Doc(file=file, data=data, places=Places(values=reading.values, keys=reading.keys)), reading.findings


def _said(error: MarkedYAMLError) -> str:
    words = " ".join(part for part in (error.context, error.problem) if part)
    return " ".join(words.split()) or "this is not YAML"


def part(doc: Doc, path: Path) -> Doc:
    """What stands at this path, as a document whose places are still those of the file."""
    depth, data = len(path), doc.data
    for step in path:
        data = data[step]

    def below(held: Mapping[Path, Place]) -> dict[Path, Place]:
        return {known[depth:]: place for known, place in held.items() if known[:depth] == path}

    values, keys = below(doc.places.values), below(doc.places.keys)
    keys.pop((), None)
    return Doc(file=doc.file, data=data, places=Places(values=values, keys=keys))


def merge(base: Doc, over: Doc) -> Doc:
    """`over` upon `base`: maps deeply, lists and leaves replaced, a leaf `omit` removes."""
    values, keys = dict(base.places.values), dict(base.places.keys)

    def joined(below: Any, above: Any, path: Path) -> Any:
        if not (isinstance(below, dict) and isinstance(above, dict)) or ("for" in below) != ("for" in above):
            _replace(values, over.places.values, path)
            _replace(keys, over.places.keys, path)
            return above
        made = dict(below)
        for key, value in above.items():
            step = (*path, key)
            if value == "omit":
                made.pop(key, None)
                continue
            if step in over.places.keys:
                keys[step] = over.places.keys[step]
            made[key] = joined(below[key], value, step) if key in below else joined(None, value, step)
        return made

    data = joined(base.data, over.data, ())
    values[()] = over.places.of(())
    return Doc(file=over.file, data=data, places=Places(values=values, keys=keys))


def _replace(held: dict[Path, Place], new: Mapping[Path, Place], path: Path) -> None:
    for known in [known for known in held if known[: len(path)] == path and known != path]:
        del held[known]
    held.update({known: place for known, place in new.items() if known[: len(path)] == path})


def without_omit(value: Any) -> Any:
    """What is left of a tree when its `omit` leaves are gone: nothing stood below them to remove."""
    match value:
        case dict():
            return {key: without_omit(each) for key, each in value.items() if each != "omit"}
        case list():
            return [without_omit(each) for each in value if each != "omit"]
        case _:
            return value


@dataclass(slots=True)
class Library:
    """Every council file, parsed once; knows where a mapping's name leads."""

    files: Mapping[str, str]
    findings: list[Finding] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  #: mapping files that some route reached
    _docs: dict[str, Doc | None] = field(default_factory=dict)

    def doc(self, file: str) -> Doc | None:
        """The parsed file; None when it is not there or cannot be read (which has been noted once)."""
        if file not in self._docs:
            self._docs[file] = None
            if file in self.files:
                doc, findings = read_yaml(self.files[file], file)
                self.findings.extend(findings)
                self._docs[file] = doc
        return self._docs[file]

    def locate(self, name: str, *, near: str) -> str:
        """The file that a mapping's name means: `x.yaml` beside `near`, anything else a shared pattern."""
        if name.endswith(".yaml"):
            return f"{near.rpartition('/')[0]}/{name}"
        return f"{PATTERNS}/{name}.yaml"

    def mapping(self, file: str, *, above: tuple[str, ...] = ()) -> Doc | None:
        """A mapping file merged with all that it extends; None when some part cannot be read."""
        self.used.add(file)
        doc = self.doc(file)
        return None if doc is None else self.whole(doc, above=above)

    def whole(self, doc: Doc, *, above: tuple[str, ...] = ()) -> Doc | None:
        """A mapping merged with all that it extends, wherever it stands itself; None when some part cannot be read."""
        if not isinstance(doc.data, dict) or "extends" not in doc.data:
            return doc
        file = doc.file
        place = doc.places.of(("extends",))
        name = doc.data["extends"]
        base = self.locate(name, near=file) if isinstance(name, str) else ""
        if not isinstance(name, str) or ".." in name or base not in self.files:
            known = ", ".join(self.patterns()) or "no patterns"
            message = f"it extends `{name}`, which is not there"
            self.findings.append(Finding.at(place, "bad_extends", message, f"there are {known[:300]}"))
            return None
        if base == file or base in above:
            chain = " → ".join([*above, file, base])
            message = f"it extends itself: {chain}"
            self.findings.append(Finding.at(place, "bad_extends", message, "remove one `extends`"))
            return None
        below = self.mapping(base, above=(*above, file))
        return None if below is None or not isinstance(below.data, dict) else merge(below, doc)

    def patterns(self) -> list[str]:
        """The names of the shared patterns of products."""
        prefix = f"{PATTERNS}/"
        return [
            file.removeprefix(prefix).removesuffix(".yaml")
            for file in self.files
            if file.startswith(prefix) and file.endswith(".yaml") and not file.startswith(f"{prefix}intake/")
        ]

    def councils(self) -> list[str]:
        """The folders that are councils."""
        folders = {file.partition("/")[0] for file in self.files if "/" in file}
        return sorted(folders - {PATTERNS})

    def check_files(self) -> None:
        """What can be said of files without knowing what they are for."""
        for file, text in self.files.items():
            top = Place(file=file)
            if not file.endswith((".yaml", ".csv")):
                message = "a file that is neither YAML nor CSV"
                remedy = "name it `.yaml`" if file.endswith(".yml") else "move code into a connector package"
                self.findings.append(Finding.at(top, "not_yaml_or_csv", message, remedy))
            elif "/" not in file:
                self.findings.append(Finding.at(top, "stray_file", "a file of no council", "move it into a folder"))
            elif "\ufffd" in text:
                line = text[: text.index("\ufffd")].count("\n") + 1
                place = Place(file=file, line=line)
                self.findings.append(Finding.at(place, "not_utf8", "a character that is not UTF-8", "save it as UTF-8"))
            elif file.endswith(".csv") and len(text) > MAX_TABLE:
                message = f"a table of more than {MAX_TABLE // 1024} KB"
                self.findings.append(Finding.at(top, "too_large", message, "keep the rows that are used"))
            elif file.endswith(".yaml"):
                self.doc(file)
