"""Every service there is, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.standard import complaint, foi_request, missed_bin
from hub.standard.service import Service

#: A new service is one module beside this one, and one name here.
SERVICES: Mapping[str, Service] = MappingProxyType(
    {module.SERVICE.code: module.SERVICE for module in (missed_bin, foi_request, complaint)}
)
