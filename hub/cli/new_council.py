"""Writes a council's first council.yaml: the form that its products and services need, with places to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.cli import new_record
from hub.core.compiling import compile_mapping
from hub.core.findings import instead
from hub.core.mapping import Need
from hub.council_files import PATTERNS, Library
from hub.council_mappings import schemas_of
from hub.errors import NotThere
from hub.registry import Registry
from hub.standard import SERVICES


def council_file(
    files: Mapping[str, str],
    registry: Registry,
    *,
    slug: str,
    name: str,
    gss: str,
    products: Sequence[str],
    services: Sequence[str],
) -> str:
    """The text of the file. Raises NotThere for a product or service that is not known, or without a pattern."""
    library = Library(files)
    routes = [(service, *_pattern(library, registry, service, products)) for service in services]
    lines = [
        f"# {name}: begun by `hub councils new`. What ends in `# fill in` is yours to say.",
        f"council: {name}",
        f"slug: {slug}",
        f"gss: {gss}" + ("   # fill in" if gss.endswith("00000") else ""),
        "calendar: england-and-wales",
        "destinations:",
    ]
    for product in dict.fromkeys(products):
        lines += [f"  {product}:", f"    connector: {product}", "    settings:"]
        lines += _settings(registry, product, slug)
        lines += ["    limits: {concurrency: 4, timeout: 60s}"]
    lines.append("routes:")
    for service, product, pattern in routes:
        lines += [f"  - service: {service}", f"    to: {product}"]
        if pattern is None:
            lines += new_record.mapping(registry.get(product))
        else:
            lines += [f"    mapping: {pattern}", *_with(library, service, pattern)]
    return "\n".join(lines) + "\n"


def _pattern(library: Library, registry: Registry, service: str, products: Sequence[str]) -> tuple[str, str | None]:
    """Which product takes a service, and by which pattern: none for one whose records are a council's own."""
    if service not in SERVICES:
        raise NotThere(f"There is no service {service}; {instead(service, SERVICES)}")
    known = library.patterns()
    for product in products:
        if f"{product}/{service}" in known:
            return product, f"{product}/{service}"
    patterned = {name.partition("/")[0] for name in known}
    for product in products:
        if product not in patterned:
            registry.get(product)
            return product, None
    raise NotThere(
        f"No shared pattern brings {service} to {' or '.join(products)}; there are {', '.join(known)}. "
        "Leave it out here, and add a route with a mapping of its own afterwards (mappings/README.md)."
    )


def _settings(registry: Registry, product: str, slug: str) -> Iterator[str]:
    """Every setting that must be given, by reference: where a secret is kept is all that the file says.

    Where a product is what its settings make of it, its own example of them.
    """
    if hasattr(registry.get(product), "configured"):
        yield from new_record.settings(registry.get(product), stem=f"{slug}_{product}")
        return
    for name, field in registry.get(product).Settings.model_fields.items():
        if field.is_required():
            stem = f"{slug}_{product}_{name}".upper().replace("-", "_")
            told = f"   # {field.description}" if field.description else ""
            yield f'      {name}: "env:{stem}"{told}'


def _with(library: Library, service: str, pattern: str) -> list[str]:
    lines = []
    for need in _needs(library, service, pattern):
        if need.has_default:
            continue
        lines.append(f"      # {need.help}")
        lines.append(f"      {need.name}:" + ("" if need.keys else "   # fill in"))
        lines += [f"        {key}:   # fill in" for key in need.keys]
    return ["    with:", *lines] if lines else []


def _needs(library: Library, service: str, pattern: str) -> Sequence[Need]:
    file = f"{PATTERNS}/{pattern}.yaml"
    doc = library.mapping(file)
    tree: Any = doc.data if doc is not None else None
    if doc is None or not isinstance(tree, dict):
        raise NotThere(f"The pattern {file} cannot be read; `hub check` says why.")
    compiled = compile_mapping(
        tree,
        file=file,
        places=doc.places,
        schemas=schemas_of(service, tree.get("version", 1)),
        names=frozenset(),
    )
    return tuple(compiled.mapping.needs.values()) if compiled.mapping is not None else ()
