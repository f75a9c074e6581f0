"""Every service there is, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.standard import (
    abandoned_vehicle,
    assisted_collection,
    bulky_waste,
    complaint,
    container_request,
    fly_tipping,
    foi_request,
    garden_waste_subscription,
    general_enquiry,
    missed_bin,
    street_issue,
    subject_access_request,
)
from hub.standard.service import Service

#: A new service is one module beside this one, and one name here.
_MODULES = (
    missed_bin,
    bulky_waste,
    container_request,
    assisted_collection,
    garden_waste_subscription,
    foi_request,
    subject_access_request,
    complaint,
    general_enquiry,
    fly_tipping,
    street_issue,
    abandoned_vehicle,
)
SERVICES: Mapping[str, Service] = MappingProxyType({module.SERVICE.code: module.SERVICE for module in _MODULES})
