"""``/resource_requirements``: plain records whose memory and time are checked."""

from falcon import Request, Response

from torc.models.resource_requirements import ResourceRequirements
from torc.server.codec import answer, read_body
from torc.server.plain import Collection, Item
from torc.store import requirements


class Requirements(Collection):
    """Create checks what a job may need."""

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, requirements.create(self.database, read_body(req, ResourceRequirements)))


class Requirement(Item):
    """So does replace."""

    def on_put(self, req: Request, resp: Response, record_id: int) -> None:
        answer(resp, requirements.update(self.database, record_id, read_body(req, ResourceRequirements)))
