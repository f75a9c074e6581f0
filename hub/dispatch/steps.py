"""What each kind of step does at its destination: the record made, the file found, the verb chosen."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from hub.connector import Attachment, Connector, Delivery, Unavailable
from hub.core.about import about
from hub.core.redaction import shape_of
from hub.councils import Council, Councils, Destination, Route
from hub.dispatch import evidence, files
from hub.dispatch.pool import ConnectorPool
from hub.errors import STORE_AWAY, MappingFault, NotThere, StoreUnavailable
from hub.model import Receipt, StepKind
from hub.store import attempts, follow_ups
from hub.store.claims import Claimed
from hub.store.store import Store

#: What is left to do of a step: speak to the connector, with everything else at hand.
Speak = Callable[[Delivery], Awaitable[Receipt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Prepares steps: whatever can fail before anything is sent fails here."""

    store: Store
    councils: Callable[[], Councils]
    past: Callable[[int, str], Council]  #: a council as an earlier generation of the files had it; called in a thread
    pool: ConnectorPool

    def route(self, claimed: Claimed) -> Route:
        """The route that planned it. Raises MappingFault when the council files have it no more."""
        try:
            return self.councils().find(claimed.council).route(claimed.route)
        except NotThere:
            raise MappingFault(
                f"the council files have no route {claimed.route} any more; put it back, or discard this",
                where=f"{claimed.council}/council.yaml",
                code="no_route",
            ) from None

    def destination(self, claimed: Claimed) -> Destination | None:
        """As the council files have it now; None when they have it no more."""
        try:
            return self.councils().destination(claimed.destination)
        except NotThere:
            return None

    def connector(self, claimed: Claimed) -> Connector:
        """Raises MappingFault or Misconfigured."""
        return self.pool.get(self.route(claimed).destination)

    async def prepare(self, claimed: Claimed) -> Speak:
        """What speaks for this step. Raises MappingFault, Misconfigured or Unavailable, and then nothing was sent."""
        try:
            return await self._prepare(claimed)
        except StoreUnavailable:
            raise Unavailable("The hub's own store is away; nothing was sent.", code=STORE_AWAY) from None

    async def _prepare(self, claimed: Claimed) -> Speak:
        route = self.route(claimed) if claimed.past is None else await self._past_route(claimed, claimed.past)
        match claimed.kind:
            case StepKind.CREATE:
                return self._create(claimed, route)
            case StepKind.NUMBER:
                return await self._number(claimed, route)
            case StepKind.ATTACH:
                return await self._attach(claimed, route)
            case StepKind.UPDATE | StepKind.CANCEL:
                return await self._follow_up(claimed, route)

    async def _past_route(self, claimed: Claimed, generation: int) -> Route:
        """The mapping of an earlier generation, to the destination as it is now."""
        try:
            council = await asyncio.to_thread(self.past, generation, claimed.council)
            return replace(council.route(claimed.route), destination=self.councils().destination(claimed.destination))
        except NotThere as failure:
            where = f"generation {generation} of the council files"
            raise MappingFault(str(failure), where=where, code="no_generation") from None

    def _create(self, claimed: Claimed, route: Route) -> Speak:
        connector, record = self.pool.get(route.destination), self._record(claimed, route)
        return lambda delivery: connector.create(record, delivery)

    async def _follow_up(self, claimed: Claimed, route: Route) -> Speak:
        connector = self.pool.get(route.destination)
        kept = await self.store.read(lambda connection: follow_ups.for_sending(connection, claimed.delivery))
        if kept.body is None:
            raise MappingFault("what was said was forgotten on time; nothing can be sent", where="retention")
        said = from_json(self.store.sealer.open(kept.body, place=follow_ups.place(kept.id)))
        verb, receipt = self._verb(connector, claimed.kind.value, route), Receipt(reference=kept.their_reference)
        record = self._record(claimed, route, of_case={"case_reference": kept.our_reference}, update=said)

        async def speak(delivery: Delivery) -> Receipt:
            await verb(record, receipt, delivery)
            return Receipt()  # the case keeps the number that it has

        return speak

    async def _number(self, claimed: Claimed, route: Route) -> Speak:
        """Ask for the number by what was kept when the product took the case."""
        connector = self.pool.get(route.destination)
        kept = await self.store.read(lambda connection: attempts.taken(connection, claimed.delivery))
        token = self.store.sealer.open(kept.took, place=evidence.place(kept.id)).decode() if kept else None
        number, find = getattr(connector, "number", None), getattr(connector, "find", None)

        async def speak(delivery: Delivery) -> Receipt:
            if token is not None and number is None and find is None:
                return Receipt(reference=token)  # it cannot be asked, so what was said was the reference itself
            by_token = number is not None and token is not None
            found: Receipt | None = await (number(token, delivery) if by_token else find(claimed.our_reference))  # type: ignore[misc]
            if found is None or found.reference is None:
                raise Unavailable("The case is there, its number is not yet.", code="number_to_follow")
            return found

        if token is None and find is None:
            raise MappingFault("its number cannot be asked for", where=route.mapping.where, code="no_number")
        return speak

    async def _attach(self, claimed: Claimed, route: Route) -> Speak:
        connector = self.pool.get(route.destination)
        verb, number = self._verb(connector, "attach", route), claimed.their_reference
        if claimed.attachment is None:
            file = self._file_inside(claimed, route)
        else:
            if claimed.body is not None:
                self._submission(claimed, route)  # it may still go there
            file, number = await files.prepared(self.store, claimed, where=f"{route.mapping.file} attach")
        receipt = Receipt(reference=number)

        async def speak(delivery: Delivery) -> Receipt:
            await verb(file, receipt, delivery)
            return Receipt()

        return speak

    def _file_inside(self, claimed: Claimed, route: Route) -> Attachment:
        """The file in the content of a submission that an older hub took, by its place in it (decision 0006)."""
        listed = self._submission(claimed, route).get("attachments", [])
        told = listed[claimed.position - 1] if claimed.position <= len(listed) else {}
        if "content_base64" not in told:
            problem = f"file {claimed.position} of the submission is not there; ask the resident, then discard this"
            raise MappingFault(problem, where=f"{route.mapping.file} attach", code="no_file")
        content = base64.b64decode(told["content_base64"])

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return Attachment(name=told["name"], media_type=told["media_type"], size=len(content), chunks=chunks)

    def _verb(self, connector: Connector, name: str, route: Route) -> Any:
        verb = getattr(connector, name, None)
        if verb is None:
            problem = f"{route.destination.connector} cannot {name}; tell the council by hand, then discard this"
            raise MappingFault(problem, where=f"{route.mapping.file} {name}", code=f"no_{name}")
        return verb

    def _record(
        self, claimed: Claimed, route: Route, *, of_case: Mapping[str, str] | None = None, **more: Any
    ) -> BaseModel:
        """Made by the mapping and held against the connector's model; `more` is what a follow-up says."""
        context = route.context(self._submission(claimed, route), {**about(claimed), **(of_case or {})}, **more)
        raw = route.record(claimed.kind.value, context, item_index=claimed.item_index)
        called = route.mapping.operation(claimed.kind.value)
        operation = route.destination.connector_class.operations.get(called)
        if operation is None:  # the mapping is of an earlier generation, and the destination is another since
            problem = f"{route.destination_id} has no operation {called} any more; replay it with the mapping of now"
            raise MappingFault(problem, where=f"{route.mapping.file} {claimed.kind.value}", code="no_operation")
        try:
            return operation.record.model_validate(raw)
        except ValidationError as failure:
            problem = "; ".join(shape_of(failure.errors(include_input=False, include_url=False)))
        raise MappingFault(problem, where=f"{route.mapping.file} {claimed.kind.value}.record", code="record")

    def _submission(self, claimed: Claimed, route: Route) -> dict[str, Any]:
        """What was submitted. Raises MappingFault, also where the council files no longer let it go there."""
        if claimed.body is None:
            raise MappingFault("the content was forgotten on time; nothing can be sent", where="retention")
        place = f"submission_content|{claimed.submission}|{claimed.revision}"
        read: dict[str, Any] = from_json(self.store.sealer.open(claimed.body, place=place))
        route.admit(read)
        return read
